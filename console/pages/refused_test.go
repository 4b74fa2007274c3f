package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// recording is a service that notes what it is asked to change.
type recording struct {
	filledService

	optIns   *[]service.ConsentChange
	segments *[]service.SaveSegment
	err      error
}

func (r recording) OptIn(_ context.Context, _, _ string, change service.ConsentChange) ([]service.ConsentChanged, error) {
	*r.optIns = append(*r.optIns, change)
	return nil, r.err
}

func (r recording) SaveSegment(_ context.Context, _, _ string, change service.SaveSegment) (service.Segment, error) {
	*r.segments = append(*r.segments, change)
	return service.Segment{}, r.err
}

func newRecording(err error) recording {
	return recording{filledService{&filler{texts: []string{"plain"}}}, new([]service.ConsentChange), new([]service.SaveSegment), err}
}

// TestDespiteStop lets operators alone opt in a number that has opted out itself, after a question.
func TestDespiteStop(t *testing.T) {
	form := url.Values{"number": {"+14155552671"}, "note": {"by phone"}, "do": {"opt_in"}, "despite_stop": {"on"}}
	asked := newRecording(nil)
	status, _ := post(t, site(t, asked, access.Person{Name: "ann", Role: access.Editor}).URL+"/acme/sending/number", form)
	assert.Equal(t, http.StatusForbidden, status)
	server := site(t, asked, access.Person{Name: "ann", Role: access.Operator})
	status, page := post(t, server.URL+"/acme/sending/number", form)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "although the customer has said STOP?")
	assert.Contains(t, page, `name="despite_stop" value="on"`)
	assert.Empty(t, *asked.optIns, "it asks first")
	form.Set("confirm", "1")
	status, _ = post(t, server.URL+"/acme/sending/number", form)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, []service.ConsentChange{{Numbers: []string{"+14155552671"}, Note: "by phone", DespiteStop: true}}, *asked.optIns)
}

// TestReplaceSegment gives a segment other conditions, for the version that was seen, and loses nothing that was typed.
func TestReplaceSegment(t *testing.T) {
	form := url.Values{"conditions": {"clicked any in 3d"}, "version": {"4"}}
	for _, each := range []struct {
		err    error
		status int
		says   string
	}{
		{service.ErrConflict, http.StatusConflict, "Somebody else has changed this segment"},
		{&service.InvalidError{Faults: []service.Fault{{Field: "conditions", Problem: "no such flow"}}}, http.StatusUnprocessableEntity, "no such flow"},
	} {
		asked := newRecording(each.err)
		server := site(t, asked, access.Person{Name: "ann", Role: access.Editor})
		status, page := post(t, server.URL+"/acme/segments/at_risk", form)
		assert.Equal(t, each.status, status)
		assert.Contains(t, page, each.says)
		assert.Contains(t, page, "clicked any in 3d</textarea>")
		version := 4
		assert.Equal(t, []service.SaveSegment{{Name: "at_risk", Conditions: "clicked any in 3d", Replace: true, Version: &version}}, *asked.segments)
		status, _ = post(t, server.URL+"/acme/segments/at_risk", url.Values{"conditions": {"clicked any"}})
		assert.Equal(t, http.StatusUnprocessableEntity, status, "without a version")
		assert.Len(t, *asked.segments, 1)
	}
}
