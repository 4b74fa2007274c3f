package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A segment is replaced and deleted by who has seen its version.
func TestVersionsOfSegments(t *testing.T) {
	s := newSite(t)
	change := func(method, path, tag, body string) (status int, etag string) {
		r := request(t, method, "/stores/acme/segments"+path, body)
		if tag != "" {
			r.Header.Set("If-Match", tag)
		}
		w := s.answer(r)
		s.conforms(request(t, method, "/stores/acme/segments"+path, body), w)
		return w.Code, w.Header().Get("ETag")
	}
	const texted, clicked = `{"name": "a", "conditions": "received any"}`, `{"name": "a", "conditions": "clicked any", "replace": true}`
	for _, step := range []struct {
		method, path, tag, body string
		status                  int
		etag                    string
	}{
		{http.MethodPost, "", "", texted, http.StatusOK, `"1"`},
		{http.MethodPost, "", "", clicked, http.StatusPreconditionRequired, ""},
		{http.MethodPost, "", `"2"`, clicked, http.StatusPreconditionFailed, ""},
		{http.MethodPost, "", `"1"`, clicked, http.StatusOK, `"2"`},
		{http.MethodDelete, "/a", "", "", http.StatusPreconditionRequired, ""},
		{http.MethodDelete, "/a", `"1"`, "", http.StatusPreconditionFailed, ""},
		{http.MethodDelete, "/b", `"1"`, "", http.StatusNotFound, ""},
		{http.MethodDelete, "/a", `"2"`, "", http.StatusNoContent, ""},
		{http.MethodDelete, "/a", `"2"`, "", http.StatusNotFound, ""},
		{http.MethodPost, "", `*`, texted, http.StatusBadRequest, ""},
	} {
		status, etag := change(step.method, step.path, step.tag, step.body)
		assert.Equal(t, step.status, status, "%s %s %s", step.method, step.path, step.tag)
		if step.etag != "" {
			assert.Equal(t, step.etag, etag)
		}
	}
	empty := request(t, http.MethodPost, "/stores/acme/segments", texted)
	empty.Header.Set("If-Match", "")
	assert.Equal(t, http.StatusBadRequest, s.answer(empty).Code)
}

// broken is a connection that breaks with the first piece.
type broken struct{ *httptest.ResponseRecorder }

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// An export that breaks off does not look complete, and is counted.
func TestExportBreaksOff(t *testing.T) {
	s := newSite(t)
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		s.handler.ServeHTTP(broken{httptest.NewRecorder()}, request(t, http.MethodGet, "/stores/acme/segments/export?segment=received+any", ""))
	})
	require.Len(t, s.measured.failed, 1)
	assert.Contains(t, s.measured.failed[0], "/segments/export")
}
