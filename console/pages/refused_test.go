package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
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
	pushes   *[]service.PushRequest
	err      error
}

func (r recording) PushSegments(ctx context.Context, who, store string, request service.PushRequest) (service.Push, error) {
	if request.DryRun {
		return r.filledService.PushSegments(ctx, who, store, request)
	}
	*r.pushes = append(*r.pushes, request)
	return service.Push{}, r.err
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
	return recording{filledService{&filler{texts: []string{"plain"}}}, new([]service.ConsentChange), new([]service.SaveSegment), new([]service.PushRequest), err}
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

// TestPushConfirms pushes as many properties as the question said.
func TestPushConfirms(t *testing.T) {
	asked := newRecording(nil)
	server := site(t, asked, access.Person{Name: "ann", Role: access.Editor})
	_, page := post(t, server.URL+"/acme/segments/push", nil)
	assert.Contains(t, page, `name="confirm" value="6"`)
	assert.Empty(t, *asked.pushes, "it asks first")
	status, _ := post(t, server.URL+"/acme/segments/push", url.Values{"confirm": {"many"}})
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Empty(t, *asked.pushes)
	post(t, server.URL+"/acme/segments/push", url.Values{"confirm": {"6"}})
	count := 6
	assert.Equal(t, []service.PushRequest{{Confirm: &count}}, *asked.pushes)
}

// TestUnknownDecisions refuses what is no decision about a number, before anything is asked or done.
func TestUnknownDecisions(t *testing.T) {
	asked := newRecording(nil)
	server := site(t, asked, access.Person{Name: "ann", Role: access.Operator})
	long := strings.Repeat("a", 121)
	for name, form := range map[string]url.Values{
		"no decision":             {"do": {""}},
		"another decision":        {"do": {"forget"}, "despite_stop": {"on"}},
		"an opt-out all the same": {"do": {"opt_out"}, "despite_stop": {"on"}},
		"a long note":             {"do": {"opt_in"}, "despite_stop": {"on"}, "note": {long}},
		"no number":               {"do": {"opt_in"}, "despite_stop": {"on"}, "number": {"5552671"}},
	} {
		if !form.Has("number") {
			form.Set("number", "+14155552671")
		}
		status, page := post(t, server.URL+"/acme/sending/number", form)
		assert.Equal(t, http.StatusUnprocessableEntity, status, name)
		assert.NotContains(t, page, "although the customer has said STOP?", name)
	}
	assert.Empty(t, *asked.optIns)
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
