package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

// A viewer finds a customer by the whole number, editors by its last digits.
func TestViewersSearchForTheWhole(t *testing.T) {
	s := newSite(t)
	s.Customer("acme", "7", "jo@example.com", "+14155550101")
	find := func(role access.Role, search string) string {
		r := request(t, http.MethodGet, "/stores/acme/customers?search="+search, "")
		r.Header.Set(roleHeader, string(role))
		w := s.answer(r)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		return w.Body.String()
	}
	const found, patience = `"recharge_customer_id":"7"`, 30 * time.Second
	require.Eventually(t, func() bool {
		return assert.ObjectsAreEqual(http.StatusOK, s.answer(request(t, http.MethodGet, "/stores/acme/customers/7", "")).Code)
	}, patience, time.Millisecond)
	assert.Contains(t, find(access.Editor, "0101"), found)
	assert.NotContains(t, find(access.Viewer, "0101"), found)
	assert.NotContains(t, find(access.Viewer, "%2B1415555010"), found)
	assert.Contains(t, find(access.Viewer, "%2B14155550101"), found)
	assert.Contains(t, find(access.Viewer, "jo@example.com"), found)
	r := request(t, http.MethodGet, "/stores/acme/texts/x?reveal=true", "")
	r.Header.Set(roleHeader, string(access.Viewer))
	assert.Equal(t, http.StatusForbidden, s.answer(r).Code)
}
