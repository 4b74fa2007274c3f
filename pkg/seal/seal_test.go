package seal_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/seal"
)

func TestSeal(t *testing.T) {
	key := seal.New("secret", "links")
	other := seal.New("secret", "something else")
	none := seal.New("", "links")
	assert.True(t, none.IsZero())
	for _, text := range []string{"", "https://acme.example/portal/f99bd4a6"} {
		sealed := key.Seal(text)
		assert.NotContains(t, sealed, "portal")
		assert.NotEqual(t, sealed, key.Seal(text))
		opened, err := key.Open(sealed)
		require.NoError(t, err)
		assert.Equal(t, text, opened)
		for _, wrong := range []seal.Key{other, none} {
			_, err = wrong.Open(sealed)
			require.ErrorIs(t, err, seal.ErrSealed)
		}
		_, err = key.Open(sealed[1:])
		require.ErrorIs(t, err, seal.ErrSealed)
	}
	_, err := key.Open("no base64!")
	require.ErrorIs(t, err, seal.ErrSealed)
}

func FuzzOpen(f *testing.F) {
	key := seal.New("secret", "links")
	f.Add(key.Seal("text"))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, sealed string) {
		text, err := key.Open(sealed)
		if err != nil {
			require.Empty(t, text)
		}
	})
}
