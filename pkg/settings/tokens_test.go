package settings_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/schemas"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// newToken is a token that can be created.
func newToken(name string) settings.Token {
	return settings.Token{
		Name: name, Role: "editor", Hash: hashOf(name + "1"), CreatedAt: at(1), CreatedBy: "ann", ExpiresAt: at(1).AddDate(0, 0, 90),
	}
}

func TestTokens(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	read := func() *settings.Rows[settings.Setting] {
		rows, err := s.Read(t.Context(), b.Cluster())
		require.NoError(t, err)
		require.NoError(t, rows.Unreadable())
		return rows
	}
	ci, err := s.CreateToken(t.Context(), b.Cluster(), newToken("ci"))
	require.NoError(t, err)
	want := newToken("ci")
	want.ID, want.Version, want.By = want.Hash[:16], 1, "ann"
	want.At, want.CreatedAt, want.ExpiresAt = at(1).UTC(), at(1).UTC(), want.ExpiresAt.UTC()
	assert.Equal(t, want, ci)
	assert.Equal(t, want, settings.TokenOf(read(), ci.ID))
	assert.True(t, ci.IsValid(at(1)))
	assert.False(t, ci.IsValid(ci.ExpiresAt), "expired")
	assert.False(t, settings.Token{}.IsValid(at(1)))

	_, err = s.CreateToken(t.Context(), b.Cluster(), newToken("ci"))
	require.ErrorIs(t, err, settings.ErrToken, "the same hash")
	twin := newToken("ci")
	twin.Hash = hashOf("another")
	_, err = s.CreateToken(t.Context(), b.Cluster(), twin)
	require.ErrorContains(t, err, "there is one with the name ci already")

	for _, id := range []string{"", "none", ci.ID + "/v/1", strings.ToUpper(ci.ID)} {
		_, _, err = s.RevokeToken(t.Context(), b.Cluster(), id, "bob", at(2))
		require.ErrorIs(t, err, settings.ErrToken, id)
	}
	revoked, changed, err := s.RevokeToken(t.Context(), b.Cluster(), ci.ID, "bob", at(2))
	require.NoError(t, err)
	assert.True(t, changed)
	want.Version, want.At, want.By, want.Revoked = 2, at(2).UTC(), "bob", true
	assert.Equal(t, want, revoked)
	assert.False(t, settings.TokenOf(read(), ci.ID).IsValid(at(2)))
	_, changed, err = s.RevokeToken(t.Context(), b.Cluster(), ci.ID, "bob", at(3))
	require.NoError(t, err)
	assert.False(t, changed, "it was revoked already")

	twin.CreatedAt, twin.ExpiresAt = at(3), at(4)
	twin, err = s.CreateToken(t.Context(), b.Cluster(), twin)
	require.NoError(t, err, "the name of one that was revoked")
	twin.CreatedAt, twin.ExpiresAt, twin.Hash = at(4), at(5), hashOf("a third")
	_, err = s.CreateToken(t.Context(), b.Cluster(), twin)
	require.NoError(t, err, "the name of one that has expired")
	all := settings.TokensOf(read())
	require.Len(t, all, 3)
	assert.Equal(t, []string{hashOf("a third"), hashOf("another"), hashOf("ci1")}, []string{all[0].Hash, all[1].Hash, all[2].Hash}, "the newest first")

	validator, err := schematest.New()
	require.NoError(t, err)
	records, err := kafkatest.ReadAll(t.Context(), b.Cluster(), s.Name)
	require.NoError(t, err)
	require.Len(t, records, 8)
	for _, r := range records {
		require.NoError(t, validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
		assert.Equal(t, "/console", string(r.Header(envelope.HeaderCESource)))
		assert.Empty(t, r.Header(envelope.HeaderStore), "it belongs to no store")
	}
	assert.Equal(t, "token/"+ci.ID+"/v/1", string(records[0].Header(envelope.HeaderCESubject)))
}

func TestTokensThatAreRefused(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	for name, change := range map[string]func(*settings.Token){
		"no hash":          func(t *settings.Token) { t.Hash = "secret" },
		"hash in capitals": func(t *settings.Token) { t.Hash = strings.ToUpper(t.Hash) },
		"no name":          func(t *settings.Token) { t.Name = "" },
		"name with slash":  func(t *settings.Token) { t.Name = "a/b" },
		"role":             func(t *settings.Token) { t.Role = "admin" },
		"expired":          func(t *settings.Token) { t.ExpiresAt = t.CreatedAt },
		"for too long":     func(t *settings.Token) { t.ExpiresAt = t.CreatedAt.Add(settings.MaxTokenAge + time.Second) },
	} {
		refused := newToken("ci")
		change(&refused)
		_, err := s.CreateToken(t.Context(), b.Cluster(), refused)
		require.ErrorIs(t, err, settings.ErrToken, name)
	}
	records, err := kafkatest.ReadAll(t.Context(), b.Cluster(), s.Name)
	require.NoError(t, err)
	assert.Empty(t, records)
}

// A token whose last record can't be read may have been revoked by it, so it is none.
func TestTokenThatCantBeRead(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	ci, err := s.CreateToken(t.Context(), b.Cluster(), newToken("ci"))
	require.NoError(t, err)
	current, err := kafkatest.ReadAll(t.Context(), b.Cluster(), s.Name)
	require.NoError(t, err)
	for _, value := range []string{`{`, `{"id":"0123456789abcdef","version":2,"revoked":true}`, `{"id":"` + ci.ID + `","version":0}`} {
		broken := current[0]
		broken.Value, broken.Offset = []byte(value), 0
		write(t, b, broken)
		rows, err := s.Read(t.Context(), b.Cluster())
		require.NoError(t, err)
		require.Error(t, rows.Unreadable())
		assert.Zero(t, settings.TokenOf(rows, ci.ID), value)
	}
}

func FuzzTokenRow(f *testing.F) {
	row, err := json.Marshal(newToken("ci"))
	require.NoError(f, err)
	f.Add("/token/"+hashOf("ci1")[:16], row)
	f.Add("/token/a/v/1", []byte(`{"id":"a","version":1}`))
	f.Add("/x", []byte(`null`))
	validator, err := schematest.New()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		decoded, err := settings.New("").Decode(key, value)
		if err != nil || decoded.Token == nil {
			return
		}
		row := decoded.Token
		require.True(t, key == "/token/"+row.ID || strings.HasPrefix(key, "/token/"+row.ID+"/v/"), key)
		require.Equal(t, row.ID, settings.TokenID(row.Hash))
		row.At, row.CreatedAt, row.ExpiresAt = row.At.UTC(), row.CreatedAt.UTC(), row.ExpiresAt.UTC()
		again, err := json.Marshal(row)
		if err == nil { // a year that JSON can't have
			require.NoError(t, validator.Check(schemas.URN(schemas.SettingsToken), again))
		}
	})
}
