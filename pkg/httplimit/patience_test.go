package httplimit_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
)

// A client that takes nothing more ends a long answer; one that takes it all gets the next answer on the same connection.
func TestPatience(t *testing.T) {
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		patience := httplimit.NewPatience(w, 50*time.Millisecond)
		if r.URL.Path == "/short" {
			_, err := patience.Write([]byte("all"))
			assert.NoError(t, err)
			assert.NoError(t, patience.End())
			return
		}
		piece := make([]byte, 1<<16)
		for {
			if _, err := patience.Write(piece); err != nil {
				ended <- err
				return
			}
		}
	}))
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { assert.NoError(t, connection.Close()) }()
	ask := func(path string) {
		_, err := connection.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"))
		require.NoError(t, err)
	}
	reader := bufio.NewReader(connection)
	for range 2 {
		ask("/short")
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
	ask("/long")
	select {
	case err := <-ended:
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	case <-time.After(30 * time.Second):
		t.Fatal("the answer goes on")
	}
}

// calls notes what is done to a writer.
type calls struct {
	http.ResponseWriter

	made []string
}

func (c *calls) SetWriteDeadline(at time.Time) error {
	made := "limit"
	if at.IsZero() {
		made = "no limit"
	}
	c.made = append(c.made, made)
	return nil
}

func (c *calls) Write(piece []byte) (int, error) {
	c.made = append(c.made, string(piece))
	return len(piece), nil
}

func (c *calls) FlushError() error {
	c.made = append(c.made, "flush")
	return nil
}

// The end of an answer, which is still in a buffer, must be taken within the time, too. Without an answer nothing is sent.
func TestPatienceEnds(t *testing.T) {
	var writer calls
	patience := httplimit.NewPatience(&writer, time.Minute)
	require.NoError(t, patience.End())
	assert.Empty(t, writer.made)
	_, err := patience.Write([]byte("all"))
	require.NoError(t, err)
	require.NoError(t, patience.End())
	assert.Equal(t, []string{"limit", "all", "limit", "flush", "no limit"}, writer.made)
}
