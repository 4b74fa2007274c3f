package rechargetest_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// Without a port the server is the same, and time stands still while it works.
func TestInProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := rechargetest.NewInProcess("token")
		server.PutCustomer("1", []byte(`{"customer":{"id":1}}`))
		client := server.Client(10 * time.Second)
		get := func() error {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/customers/1", strings.NewReader(""))
			require.NoError(t, err)
			r.Header.Set("X-Recharge-Access-Token", "token")
			r.Header.Set("X-Recharge-Version", "2021-11")
			response, err := client.Do(r)
			if err != nil {
				return err
			}
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Equal(t, "1/40", response.Header.Get("X-Recharge-Limit"))
			return response.Body.Close()
		}
		began := time.Now()
		server.Next(1, rechargetest.Behaviour{Slow: 9 * time.Second})
		require.NoError(t, get())
		assert.Equal(t, 9*time.Second, time.Since(began))

		server.Next(1, rechargetest.Behaviour{Reset: true})
		require.ErrorIs(t, get(), syscall.ECONNRESET)

		began = time.Now()
		server.Next(1, rechargetest.Behaviour{Hang: true})
		require.ErrorContains(t, get(), "deadline exceeded")
		assert.Equal(t, 10*time.Second, time.Since(began))

		server.Next(1, rechargetest.Behaviour{Hang: true})
		time.AfterFunc(time.Second, server.Close)
		require.ErrorIs(t, get(), syscall.ECONNRESET, "a server that closes ends what hangs")
	})
}
