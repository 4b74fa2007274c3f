package access_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

func TestCheckListen(t *testing.T) {
	for _, test := range []struct {
		listen, url  string
		people, oidc bool
		refused      string
	}{
		{listen: "127.0.0.1:8090"},
		{listen: "127.1.2.3:8090"},
		{listen: "[::1]:8090"},
		{listen: "[::ffff:127.0.0.1]:8090"},
		{listen: "localhost:8090"},
		{listen: "127.0.0.1:8090", url: "http://localhost:8090"},
		{listen: "127.0.0.1:8090", url: "https://127.0.0.1"},
		{listen: ":8090", refused: "console.listen"},
		{listen: "0.0.0.0:8090", refused: "console.listen"},
		{listen: "[::]:8090", refused: "console.listen"},
		{listen: "10.0.0.5:8090", refused: "console.listen"},
		{listen: "console.example.com:8090", refused: "console.listen"},
		{listen: "localhost.example.com:8090", refused: "console.listen"},
		{listen: "8090", refused: "console.listen"},
		{listen: "", refused: "console.listen"},
		{listen: "127.0.0.1:8090", url: "https://console.example.com", refused: "console.url"},
		{listen: "127.0.0.1:8090", url: "://", refused: "console.url"},
		{listen: ":8090", people: true},
		{listen: ":8090", oidc: true},
		{listen: "127.0.0.1:8090", url: "https://console.example.com", people: true},
	} {
		err := access.CheckListen(test.listen, test.url, test.people, test.oidc)
		if test.refused == "" {
			require.NoError(t, err, "%+v", test)
			continue
		}
		require.ErrorContains(t, err, test.refused, "%+v", test)
		assert.ErrorContains(t, err, "console.people_file", "it says what to do")
	}
}
