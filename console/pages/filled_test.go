package pages_test

import (
	"context"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/pages"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// now is the time of the pages.
func now() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

// filler fills structs of the service, each string with the next of its texts, so that each place of each page shows something that must not become
// markup, a script, a style or an address.
type filler struct {
	texts []string
	next  atomic.Int64 // pages are read at the same time
}

// payloads execute where they are not escaped for their place.
func payloads() []string {
	return []string{
		`<script>executed.push("script")</script>`, `"><img src=x onerror='executed.push("attribute")'>`, `javascript:executed.push("url")`,
		`'-executed.push("string")-'`, `</textarea><svg onload=executed.push("textarea")>`, `</title><svg onload=executed.push("title")>`,
		`{{ constructor.constructor('executed.push(1)')() }}`, "` + executed.push('template') + `", `" autofocus onfocus=executed.push("focus") x="`,
		`<style>@import url(//elsewhere.example)</style>`, `</script><script>executed.push("end")</script>`, `data:text/html,<script>alert(1)</script>`,
		`<a href="javascript:executed.push(1)">x</a>`, `</template><iframe srcdoc="<script>parent.executed.push(1)</script>">`, "\u202e<!--",
		`../../../logout?x=<script>`,
	}
}

func (f *filler) text() string {
	return f.texts[f.next.Add(1)%int64(len(f.texts))]
}

// fill sets each field below v, which lies in structs of some types.
func (f *filler) fill(v reflect.Value, in ...reflect.Type) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(now().Add(-90 * time.Minute)))
		return
	case json.RawMessage:
		value, _ := json.Marshal(map[string]string{f.text(): f.text()}) // a map of strings can be encoded
		v.SetBytes(value)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), in...)
	case reflect.Interface:
		v.Set(reflect.ValueOf(f.text()))
	case reflect.Slice, reflect.Array:
		f.fillList(v, in)
	case reflect.Map:
		f.fillMap(v, in)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.fill(v.Field(i), append(slices.Clone(in), v.Type())...)
			}
		}
	}
}

func (f *filler) fillList(v reflect.Value, in []reflect.Type) {
	if v.Kind() == reflect.Slice {
		if slices.Contains(in, v.Type().Elem()) {
			return // a type that has itself
		}
		if v.Type() == reflect.TypeFor[[]timeline.Entry]() {
			v.Set(reflect.ValueOf(f.entries()))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
	}
	for i := range v.Len() {
		f.fill(v.Index(i), in...)
	}
}

// entries are those of a timeline, which have entries themselves.
func (f *filler) entries() []timeline.Entry {
	entry := func() timeline.Entry {
		latency := int64(12)
		return timeline.Entry{
			At: now(), Kind: timeline.Kind(f.text()), Type: f.text(), State: timeline.State(f.text()), Reason: reason.Reason(f.text()), Likely: true,
			Detail: f.text(), ID: f.text(), Record: f.text(), LatencyMS: &latency, Value: json.RawMessage(`{"first_name": "<script>executed.push(1)</script>"}`),
		}
	}
	outer := entry()
	outer.Entries = []timeline.Entry{entry(), entry()}
	return []timeline.Entry{outer, entry()}
}

func (f *filler) fillMap(v reflect.Value, in []reflect.Type) {
	v.Set(reflect.MakeMap(v.Type()))
	key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	f.fill(key, in...)
	f.fill(value, in...)
	v.SetMapIndex(key, value)
}

// filled returns a T with each field set.
func filled[T any](f *filler) (T, error) {
	var v T
	f.fill(reflect.ValueOf(&v).Elem())
	return v, nil
}

// filledService answers with filled structs. It is data for rendering, not a service: it decides nothing and keeps nothing.
type filledService struct{ *filler }

var _ pages.Service = filledService{}

func (s filledService) Stores(context.Context) ([]service.StoreInfo, error) {
	all, _ := filled[[]service.StoreInfo](s.filler)
	all[0].Name, all[1].Name = "acme", "other" // what an address can have
	return all, nil
}

func (s filledService) Flows(context.Context, string) ([]service.FlowCard, error) {
	return filled[[]service.FlowCard](s.filler)
}

func (s filledService) Flow(context.Context, string, flow.Key) (service.FlowInfo, error) {
	return filled[service.FlowInfo](s.filler)
}

func (s filledService) PreviewFlow(context.Context, string, flow.Key, service.PreviewRequest) (service.FlowPreview, error) {
	return filled[service.FlowPreview](s.filler)
}

func (s filledService) SaveFlow(context.Context, string, string, flow.Key, service.SaveFlow) (service.SavedFlow, error) {
	return service.SavedFlow{}, service.ErrConflict
}

func (s filledService) SetActive(context.Context, string, string, flow.Key, service.SetActive) (service.SavedFlow, error) {
	return filled[service.SavedFlow](s.filler)
}

func (s filledService) RestoreFlow(context.Context, string, string, flow.Key, service.RestoreFlow) (service.SavedFlow, error) {
	return filled[service.SavedFlow](s.filler)
}

func (s filledService) FlowHistory(context.Context, string, flow.Key) ([]service.FlowVersion, error) {
	return filled[[]service.FlowVersion](s.filler)
}

func (s filledService) FlowDiff(context.Context, string, flow.Key, int, int) (service.FlowDiff, error) {
	diff, _ := filled[service.FlowDiff](s.filler)
	diff.Unified = "--- a\n+++ b\n@@ -1 +1 @@\n-" + s.text() + "\n+" + s.text() + "\n " + s.text() + "\n"
	return diff, nil
}

func (s filledService) Backtest(context.Context, string, flow.Key, service.BacktestRequest) (service.Backtest, error) {
	return filled[service.Backtest](s.filler)
}

func (s filledService) WouldSend(context.Context, string, flow.Key, service.Draft) (service.WouldSend, error) {
	return filled[service.WouldSend](s.filler)
}

func (s filledService) SendTest(context.Context, string, string, flow.Key, service.TestRequest) (service.TestSent, error) {
	return filled[service.TestSent](s.filler)
}

func (s filledService) FlowStats(context.Context, service.StatsRequest) (service.FlowStats, error) {
	stats, _ := filled[service.FlowStats](s.filler)
	for i := range stats.Rows {
		stats.Rows[i].Flow = flow.ChargePaid
	}
	return stats, nil
}

func (s filledService) Sending(context.Context, string) (service.SendingInfo, error) {
	return filled[service.SendingInfo](s.filler)
}

func (s filledService) SetSending(context.Context, string, string, service.SetSending) (service.SendingInfo, error) {
	return service.SendingInfo{}, service.ErrConflict
}

func (s filledService) Pause(context.Context, string, string, service.Pause) (service.SendingInfo, error) {
	return filled[service.SendingInfo](s.filler)
}

func (s filledService) ConsentCounts(context.Context, string) (service.ConsentCounts, error) {
	return filled[service.ConsentCounts](s.filler)
}

func (s filledService) ConsentOf(context.Context, string, string, bool) (service.ConsentInfo, error) {
	return filled[service.ConsentInfo](s.filler)
}

func (s filledService) OptOut(context.Context, string, string, service.ConsentChange) ([]service.ConsentChanged, error) {
	return nil, nil
}

func (s filledService) OptIn(context.Context, string, string, service.ConsentChange) ([]service.ConsentChanged, error) {
	return nil, nil
}

func (s filledService) Segments(context.Context, string) ([]service.Segment, error) {
	all, _ := filled[[]service.Segment](s.filler)
	all[0].Name = "at_risk"
	return all, nil
}

func (s filledService) SaveSegment(context.Context, string, string, service.SaveSegment) (service.Segment, error) {
	return service.Segment{}, &service.InvalidError{Faults: []service.Fault{{Problem: s.text()}}}
}

func (s filledService) DeleteSegment(context.Context, string, string, string, int) error { return nil }

func (s filledService) CountSegments(context.Context, string, ...string) (service.SegmentCounts, error) {
	return filled[service.SegmentCounts](s.filler)
}

func (s filledService) Members(context.Context, string, string, service.MembersPage) (service.Members, error) {
	return filled[service.Members](s.filler)
}

func (s filledService) ExportSegment(context.Context, string, string, string, bool, io.Writer) (int, error) {
	return 0, nil
}

func (s filledService) PushSegments(context.Context, string, string, service.PushRequest) (service.Push, error) {
	return filled[service.Push](s.filler)
}

func (s filledService) LastPush(context.Context, string) (service.Push, error) {
	push, _ := filled[service.Push](s.filler)
	push.Running = false
	return push, nil
}

func (s filledService) Overview(_ context.Context, store string) (service.Overview, error) {
	overview, _ := filled[service.Overview](s.filler)
	overview.Store, overview.Reading.CaughtUp = store, false
	return overview, nil
}

func (s filledService) Live(context.Context, string) (<-chan service.Live, error) {
	closed := make(chan service.Live)
	close(closed)
	return closed, nil
}

func (s filledService) Texts(context.Context, service.TextQuery) (service.TextPage, error) {
	return filled[service.TextPage](s.filler)
}

func (s filledService) Text(context.Context, string, string, bool) (service.Text, error) {
	found, _ := filled[service.Text](s.filler)
	found.Status, found.Zone = "unknown", "America/New_York"
	return found, nil
}

func (s filledService) Unknown(context.Context, string) (service.TextPage, error) {
	return filled[service.TextPage](s.filler)
}

func (s filledService) Resolve(context.Context, string, service.Resolution) error { return nil }

func (s filledService) Customers(context.Context, service.CustomerQuery) (service.CustomerPage, error) {
	return filled[service.CustomerPage](s.filler)
}

func (s filledService) Customer(context.Context, string, string, bool) (service.Customer, error) {
	return filled[service.Customer](s.filler)
}

func (s filledService) Timeline(context.Context, service.TimelineQuery) (timeline.Timeline, error) {
	return filled[timeline.Timeline](s.filler)
}

func (s filledService) Events(context.Context, string) ([]service.EventKind, error) {
	return filled[[]service.EventKind](s.filler)
}

func (s filledService) SendSamples(context.Context, string, string, string) ([]service.SampleEvent, error) {
	return filled[[]service.SampleEvent](s.filler)
}

func (s filledService) Pipeline(context.Context) (service.Pipeline, error) {
	return filled[service.Pipeline](s.filler)
}

func (s filledService) DeadLetters(context.Context, service.DeadLetterQuery) (service.DeadLetterPage, error) {
	return filled[service.DeadLetterPage](s.filler)
}

func (s filledService) DeadLetter(context.Context, string, bool) (service.DeadLetter, error) {
	return filled[service.DeadLetter](s.filler)
}

func (s filledService) CountReplay(context.Context, service.ReplayRequest) (service.ReplayCount, error) {
	return filled[service.ReplayCount](s.filler)
}

func (s filledService) Replay(context.Context, string, service.ReplayRequest) (service.Replay, error) {
	return filled[service.Replay](s.filler)
}

func (s filledService) Replays(context.Context) ([]service.Replay, error) {
	return filled[[]service.Replay](s.filler)
}

func (s filledService) Tokens(context.Context) ([]service.Token, error) {
	return filled[[]service.Token](s.filler)
}

func (s filledService) CreateToken(context.Context, access.Person, service.TokenRequest) (service.NewToken, error) {
	return filled[service.NewToken](s.filler)
}

func (s filledService) RevokeToken(context.Context, access.Person, string) error { return nil }

func (s filledService) Reading(context.Context) (service.Reading, error) {
	return filled[service.Reading](s.filler)
}

func (s filledService) CountUnknown(context.Context, string) (int, error) { return 3, nil }
