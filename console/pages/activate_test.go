package pages_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// asked notes what is asked of a service.
type asked struct {
	filledService

	draft service.Draft
}

func (a *asked) WouldSend(_ context.Context, _ string, _ flow.Key, d service.Draft) (service.WouldSend, error) {
	a.draft = d
	return service.WouldSend{}, nil
}

// Who activates a flow sees what is in the form, which is what is saved then.
func TestActivationShowsWhatIsTyped(t *testing.T) {
	of := &asked{filledService: filledService{&filler{texts: []string{"word"}}}}
	server := site(t, of, access.Person{Name: "ann", Role: access.Editor})
	answer, err := server.Client().PostForm(server.URL+"/acme/flows/charge_paid/activate", url.Values{
		"step": {"review"}, "version": {"3"}, "text": {"typed"}, "name": {"Paid"}, "window": {"60"}, "per_charge": {"1"}, "quiet_hours": {"on"},
	})
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.NotNil(t, of.draft.Text)
	assert.Equal(t, "typed", *of.draft.Text)
	assert.True(t, *of.draft.QuietHours)
	assert.False(t, *of.draft.DailyCap)
}
