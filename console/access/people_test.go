package access_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/console/access"
)

func TestPeopleFaults(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		faults  []string // each has its line
	}{
		"empty":           {"", []string{"people.yaml: is empty"}},
		"only a comment":  {"# nobody\n", []string{"people.yaml"}},
		"no YAML":         {"people: [", []string{"people.yaml: yaml"}},
		"a list":          {"- name: ann\n", []string{"people.yaml:1: expected people: and a list"}},
		"another key":     {"users: []\n", []string{`people.yaml:1: unknown key "users", expected people`}},
		"no list":         {"people: ann\n", []string{"people.yaml:1: people: expected a list"}},
		"no people":       {"people: []\n", []string{"people.yaml:1: people: expected at least one person"}},
		"twice":           {"people: []\npeople: []\n", []string{"people.yaml"}},
		"two documents":   {twoPeople() + "---\n" + twoPeople(), []string{"expected one YAML document"}},
		"no person":       {"people:\n  - ann\n", []string{"people.yaml:2: expected name, role and hash"}},
		"all are missing": {"people:\n  - {}\n", []string{"people.yaml:2: name is missing", "people.yaml:2: role is missing", "people.yaml:2: hash is missing"}},
		"several faults": {
			"people:\n  - name: Ann Smith\n    role: admin\n    hash: secret1\n  - name: local\n    role: viewer\n    hash: $2a$04$" + annHash[7:] + "\n    email: a\n",
			[]string{
				`people.yaml:2: name: given "Ann Smith"`, `people.yaml:3: role: given "admin", expected viewer, editor or operator`,
				"people.yaml:4: hash: expected a bcrypt hash", "people.yaml:5: name: local is who uses a console without people",
				"people.yaml:7: hash: has cost 4, expected 10 to 14", `people.yaml:8: unknown key "email"`,
			},
		},
		"too expensive": {"people:\n- {name: ann, role: viewer, hash: $2a$31$" + annHash[7:] + "}\n", []string{"people.yaml:2: hash: has cost 31"}},
		"same name":     {twoPeople() + "  - name: ann\n    role: viewer\n    hash: " + annHash + "\n", []string{"people.yaml:8: name: ann is in line 2, too"}},
		"a list for a text": {
			"people:\n- name: [ann]\n  role: {a: b}\n  hash: &h x\n- name: bob\n  role: viewer\n  hash: *h\n",
			[]string{"people.yaml:2: name: expected a text", "people.yaml:3: role: expected a text", "people.yaml:7: hash: expected a text"},
		},
		"hash in quotes is fine": {strings.ReplaceAll(twoPeople(), annHash, `"`+annHash+`"`), nil},
		"hash of htpasswd":       {strings.ReplaceAll(twoPeople(), "$2a$", "$2y$"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := access.ParsePeople("people.yaml", []byte(test.content))
			if test.faults == nil {
				require.NoError(t, err)
				return
			}
			for _, fault := range test.faults {
				require.ErrorContains(t, err, fault)
			}
			for _, secret := range []string{"secret1", annHash[7:]} {
				assert.NotContains(t, err.Error(), secret, "somebody may have written a password there")
			}
		})
	}
}

func TestPeopleAreFollowed(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	now := newClock()
	path := peopleFile(t, twoPeople())
	people, err := access.OpenPeople(path, zap.New(core), now.Now)
	require.NoError(t, err)
	require.NoError(t, people.Fault())
	require.NoError(t, os.WriteFile(path, []byte("people: ["), 0o600))
	require.NoError(t, people.Fault(), "it was read within the last second")
	for range 3 {
		now.advance(time.Second)
		require.ErrorContains(t, people.Fault(), "people.yaml: yaml")
	}
	assert.Equal(t, 1, logs.FilterMessageSnippet("stay as they were").Len(), "logged once")
	require.NoError(t, os.WriteFile(path, []byte(twoPeople()), 0o600))
	now.advance(time.Second)
	require.NoError(t, people.Fault())
	require.NoError(t, os.Chmod(path, 0o666))
	now.advance(time.Second)
	require.ErrorContains(t, people.Fault(), "everybody on this machine can write")
	require.NoError(t, os.Chmod(path, 0o600))
	now.advance(-time.Hour)
	require.NoError(t, people.Fault(), "a clock that was set back")

	_, err = access.OpenPeople(filepath.Join(t.TempDir(), "none"), zap.NewNop(), now.Now)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, make([]byte, 2<<20), 0o600))
	_, err = access.OpenPeople(path, zap.NewNop(), now.Now)
	require.ErrorContains(t, err, "expected at most 1048576")
}

func TestAddPerson(t *testing.T) {
	for name, test := range map[string]struct{ before, after string }{
		"new file":    {"", "people:\n  - name: eve\n    role: editor\n    hash: " + bobHash + "\n"},
		"with others": {twoPeople(), twoPeople() + "  - name: eve\n    role: editor\n    hash: " + bobHash + "\n"},
		"comments, no indentation, no line end": {
			"# ours\npeople:\n- name: ann # boss\n  role: viewer\n  hash: " + annHash,
			"# ours\npeople:\n- name: ann # boss\n  role: viewer\n  hash: " + annHash + "\n- name: eve\n  role: editor\n  hash: " + bobHash + "\n",
		},
		"deeper": {
			"people:\n      - {name: ann, role: viewer, hash: " + annHash + "}\n",
			"people:\n      - {name: ann, role: viewer, hash: " + annHash + "}\n      - name: eve\n        role: editor\n        hash: " + bobHash + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "people.yaml")
			if test.before != "" {
				require.NoError(t, os.WriteFile(path, []byte(test.before), 0o640))
			}
			require.NoError(t, access.AddPerson(path, "eve", access.Editor, bobHash))
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, test.after, string(content))
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Zero(t, info.Mode().Perm()&0o007, "others can't read it")

			require.ErrorContains(t, access.AddPerson(path, "eve", access.Editor, bobHash), "name: eve is in line")
			again, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, content, again, "a fault changes nothing")
		})
	}
	path := peopleFile(t, "people: [{name: ann, role: viewer, hash: "+annHash+"}]\n")
	require.Error(t, access.AddPerson(path, "eve", access.Editor, bobHash), "a file that is written in another way is not spoilt")
	require.Error(t, access.AddPerson(peopleFile(t, "people: ["), "eve", access.Editor, bobHash))
	require.Error(t, access.AddPerson(filepath.Join(t.TempDir(), "p"), "Eve", "admin", "x"))
}

func TestHashPassword(t *testing.T) {
	for _, password := range []string{"correct horse battery", strings.Repeat("é", 12), strings.Repeat("p", 72)} {
		hash, err := access.HashPassword(password)
		require.NoError(t, err)
		require.NoError(t, bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)))
		require.NoError(t, access.ParsePeople("p", []byte("people: [{name: a, role: viewer, hash: "+hash+"}]")))
	}
	for _, password := range []string{"", "short", "ééééééééééé", strings.Repeat("p", 73), "with a line\nend", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		_, err := access.HashPassword(password)
		require.Error(t, err, "%q", password)
		assert.NotContains(t, err.Error(), "short")
	}
}

// Whatever happens in whatever order, a session is in force exactly as long as it was used within an hour, is younger than eight, its person is as they were
// when it began, and nobody has logged out.
func TestSessionsAsModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := newConsole(t, nil)
		b := c.browser()
		var began, used time.Time
		in, role := false, "operator"
		r.Repeat(map[string]func(*rapid.T){
			"log in": func(*rapid.T) {
				if b.logIn("ann", annPassword); !in {
					began = c.clock.Now()
				}
				in, used = true, c.clock.Now()
			},
			"log out": func(*rapid.T) {
				if page := b.get("/"); page.StatusCode == 200 {
					b.post("/logout", map[string][]string{"csrf": {page.body}})
				}
				in = false
			},
			"wait": func(r *rapid.T) {
				c.clock.advance(time.Duration(rapid.IntRange(1, 100).Draw(r, "minutes")) * time.Minute)
			},
			"other role": func(r *rapid.T) {
				if next := rapid.SampledFrom([]string{"viewer", "editor", "operator"}).Draw(r, "role"); next != role {
					in, role = false, next
				}
				c.writePeople(strings.ReplaceAll(twoPeople(), "operator", role))
				c.clock.advance(time.Second)
			},
			"": func(r *rapid.T) {
				now := c.clock.Now()
				in = in && now.Sub(began) < 8*time.Hour && now.Sub(used) < time.Hour
				if got := b.get("/").StatusCode == 200; got != in {
					r.Fatalf("in force is %v, expected %v", got, in)
				}
				if used = now; in && string(c.person.Role) != role {
					r.Fatalf("role is %s, expected %s", c.person.Role, role)
				}
			},
		})
	})
}
