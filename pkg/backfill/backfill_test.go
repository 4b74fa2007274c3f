package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

func noon() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }

// shop is a store at the simulator, and what is published of it.
type shop struct {
	t         testing.TB
	api       *rechargetest.Server
	dir       string
	published map[string]bool
	slept     []time.Duration
	fail      func() error // before each page and each record
}

func newShop(t testing.TB, customers int) *shop {
	s := &shop{t: t, api: rechargetest.NewInProcess("token"), dir: filepath.Join(t.TempDir(), "import"), fail: func() error { return nil }}
	t.Cleanup(s.api.Close)
	s.api.SetClock(noon)
	for id := 1; id <= customers; id++ {
		s.put(`{"customer":{"id":%d,"email":"c%d@example.com","created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00"}}`, id, id)
		for n := range id % 4 {
			s.put(`{"subscription":{"id":%d,"customer_id":%d,"status":"active","product_title":"Beans","created_at":"2026-03-15T00:00:00+00:00","updated_at":"2026-03-15T00:00:00+00:00"}}`, 1000*id+n, id)
		}
		s.put(`{"charge":{"id":%d,"customer":{"id":%d},"status":"queued","scheduled_at":"2026-05-%02d","created_at":"2026-04-01T00:00:00+00:00","updated_at":"2026-04-02T00:00:00+00:00"}}`, 10*id, id, 1+id%28)
		s.put(`{"charge":{"id":%d,"customer":{"id":%d},"status":"success","scheduled_at":null,"processed_at":"2026-04-01T00:00:00+00:00","created_at":"2026-04-01T00:00:00+00:00","updated_at":"2026-04-01T00:00:00+00:00"}}`, 10*id+1, id)
		s.put(`{"charge":{"id":%d,"customer":{"id":%d},"status":"queued","scheduled_at":"2026-09-01","created_at":"2026-04-01T00:00:00+00:00","updated_at":"2026-04-01T00:00:00+00:00"}}`, 10*id+2, id)
	}
	return s
}

func (s *shop) put(format string, args ...any) {
	require.NoError(s.t, s.api.Put(fmt.Appendf(nil, format, args...)))
}

// List is the API's, with the shop's failures.
func (s *shop) List(ctx context.Context, resource string, filters url.Values, cursor string, limit int) (recharge.Page, error) {
	if err := s.fail(); err != nil {
		return recharge.Page{}, err
	}
	return s.client().List(ctx, resource, filters, cursor, limit)
}

func (s *shop) Customer(ctx context.Context, id string) (recharge.Customer, error) {
	return s.client().Customer(ctx, id)
}

func (s *shop) HasCharge(ctx context.Context, id string) (bool, error) {
	return s.client().HasCharge(ctx, id)
}

func (s *shop) client() *recharge.Client {
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: s.api.URL, Token: "token", HTTPClient: s.api.Client(time.Minute), Now: noon})
	require.NoError(s.t, err)
	return client
}

func (s *shop) produce(_ context.Context, records ...kafka.Record) error {
	for _, r := range records {
		if err := s.fail(); err != nil {
			return err
		}
		s.published[fmt.Sprintf("%s %s%s since %q: %s", r.Key, r.Header(envelope.HeaderSource), r.Header(envelope.HeaderRechargeTopic), r.Header(envelope.HeaderFactsSince), r.Value)] = true
	}
	return nil
}

// config opens the directory.
func (s *shop) config() backfill.Config {
	dir, err := backfill.OpenDirectory(s.dir)
	require.NoError(s.t, err)
	if s.published == nil {
		s.published = map[string]bool{}
	}
	return backfill.Config{
		Store: "acme", Topic: "recharge.webhooks", API: s, Produce: s.produce, Dir: dir, Now: noon,
		Sleep:  func(_ context.Context, d time.Duration) error { s.slept = append(s.slept, d); return nil },
		Report: func(backfill.Progress) {}, Failed: func(error, time.Duration) {},
	}
}

// run runs an import once, and leaves its directory unless it is done.
func (s *shop) run(i backfill.Import) (backfill.Progress, error) {
	i.Config = s.config()
	p, err := i.Run(s.t.Context())
	if err == nil {
		require.NoError(s.t, i.Dir.Remove())
	} else {
		require.NoError(s.t, i.Dir.Close())
	}
	return p, err
}

// lines returns what was published and contains a text.
func (s *shop) lines(part string) (found []string) {
	for line := range s.published {
		if strings.Contains(line, part) {
			found = append(found, line)
		}
	}
	slices.Sort(found)
	return found
}

// An import publishes each customer once with all subscriptions, and the charges of the window.
func TestImport(t *testing.T) {
	s := newShop(t, 600)
	p, err := s.run(backfill.Import{})
	require.NoError(t, err)
	assert.Equal(t, backfill.PhaseDone, p.Phase)
	assert.Equal(t, []int{600, 900, 1200, 0}, []int{p.Customers, p.Subscriptions, p.Charges, p.Unreadable})
	assert.Len(t, s.lines(" import since "), 600)
	assert.Len(t, s.lines(" backfillcharge/updated"), 1200, "what is scheduled for later than the window is left out")
	of3 := s.lines("acme/3 import")
	require.Len(t, of3, 1)
	assert.Less(t, strings.Index(of3[0], `"id":"3002"`), strings.Index(of3[0], `"id":"3000"`), "newest first")
	for _, part := range []string{`"customer_id":"3"`, `"id":"3000"`, `"id":"3002"`, `"complete":true`, `"listed_at":"2026-05-01T12:00:00Z"`} {
		assert.Contains(t, of3[0], part)
	}
	assert.Empty(t, s.lines(`since "2026`), "no facts")
	assert.NoDirExists(t, s.dir)
}

// With events, the facts since the beginning of the window are published, too.
func TestImportWithEvents(t *testing.T) {
	s := newShop(t, 5)
	_, err := s.run(backfill.Import{Events: true})
	require.NoError(t, err)
	assert.Len(t, s.lines(` backfillsubscription/updated since "2026-03-02T12:00:00Z"`), 7)
	assert.Len(t, s.lines(` backfillcharge/updated since "2026-03-02T12:00:00Z"`), 10)
}

// An import that is interrupted anywhere and continued publishes what one in one go does.
func TestImportInterrupted(t *testing.T) {
	whole := newShop(t, 300)
	_, err := whole.run(backfill.Import{Events: true})
	require.NoError(t, err)
	interrupted := errors.New("interrupted")
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newShop(t, 0)
		s.api = whole.api
		left, runs := 0, 0
		s.fail = func() error {
			if left--; left < 0 {
				return interrupted
			}
			return nil
		}
		for err := interrupted; err != nil; runs++ {
			left = 600 + rng.IntN(300) // more than a page and its records, so that it ends
			if _, err = s.run(backfill.Import{Events: true}); err != nil {
				require.ErrorIs(t, err, interrupted)
			}
		}
		require.Equal(t, whole.published, s.published, "seed %d", seed)
		require.Greater(t, runs, 1)
	}
}

// Failures of the API are waited for, or explained.
func TestAPIFailures(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		times  int
		want   string
	}{
		"429":                  {429, `{"error":"rate limited"}`, 3, ""},
		"500":                  {500, `oops`, 3, ""},
		"501":                  {501, `{"errors":"Not Implemented"}`, 1, ""},
		"502 of a proxy":       {502, `<html>`, 9, ""},
		"200 of a proxy":       {200, `<html>`, 2, ""},
		"409":                  {409, `{"error":"a call to this resource is in progress"}`, 1, ""},
		"503 for ever":         {503, `{"error":"third party timeout"}`, 10, "list subscriptions: recharge api: status 503"},
		"401":                  {401, `{"error":"bad authentication"}`, 1, "status 401"},
		"403":                  {403, `{"errors":"missing scope"}`, 1, "status 403"},
		"402":                  {402, `{"error":"plan"}`, 1, "status 402: plan"},
		"404 of a list":        {404, `{"errors":"Not Found"}`, 1, "status 404: there is no list of subscriptions"},
		"405":                  {405, `{"errors":"Method Not Allowed"}`, 1, "status 405: Method Not Allowed"},
		"406":                  {406, `{"errors":{"source":"data source not allowed"}}`, 1, "status 406: source: data source not allowed"},
		"415":                  {415, `{"errors":["not","an object"]}`, 1, "status 415: not, an object"},
		"426":                  {426, `{"errors":"invalid API version"}`, 1, "status 426: invalid API version"},
		"400":                  {400, `{}`, 1, "status 400: answer without an error text"},
		"200, another list":    {200, `{"customers":[]}`, 1, "it has no list of subscriptions"},
		"422, nothing to mend": {422, `{"errors":{"limit":["Invalid value"]}}`, 1, "status 422: limit: Invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, 3)
			s.api.FailNext(test.times, test.status, test.body)
			_, err := s.run(backfill.Import{})
			if test.want == "" {
				require.NoError(t, err)
				assert.Len(t, s.slept, test.times)
				assert.Len(t, s.lines(" import since "), 3)
				return
			}
			require.ErrorContains(t, err, test.want)
			p, err := s.run(backfill.Import{})
			require.NoError(t, err, "continued")
			assert.Equal(t, 3, p.Customers)
		})
	}
}

// A list begins again when Recharge refuses the cursor.
func TestCursorRefused(t *testing.T) {
	s := newShop(t, 600)
	calls := 0
	s.fail = func() error { return nil }
	api := s.api
	config := s.config()
	config.Report = func(backfill.Progress) {
		if calls++; calls == 2 || calls == 5 {
			api.FailNext(1, 422, `{"errors":{"cursor":["Invalid value"]}}`)
		}
	}
	p, err := backfill.Import{Config: config}.Run(t.Context())
	require.NoError(t, err)
	require.NoError(t, config.Dir.Close())
	assert.Equal(t, 2, p.Again)
	assert.Equal(t, []int{600, 900, 1200}, []int{p.Customers, p.Subscriptions, p.Charges}, "each is counted once")
	assert.Len(t, s.lines(" import since "), 600, "with the same subscriptions as before")
	assert.Len(t, s.lines(`"complete":true`), 600)
}

// A list whose cursors are always refused ends the run, and the next one begins the list again.
func TestCursorAlwaysRefused(t *testing.T) {
	s := newShop(t, 600)
	refusing := true
	config := s.config()
	config.API = refuser{s, &refusing}
	_, err := backfill.Import{Config: config}.Run(t.Context())
	require.ErrorContains(t, err, "list subscriptions: ")
	require.ErrorContains(t, err, "status 422: cursor: Invalid value")
	require.NoError(t, config.Dir.Close())
	refusing = false
	config = s.config()
	config.API = refuser{s, &refusing}
	p, err := backfill.Import{Config: config}.Run(t.Context())
	require.NoError(t, err)
	require.NoError(t, config.Dir.Close())
	assert.Equal(t, 600, p.Customers)
}

// refuser is a shop whose API refuses cursors.
type refuser struct {
	*shop
	refusing *bool
}

func (r refuser) List(ctx context.Context, resource string, filters url.Values, cursor string, limit int) (recharge.Page, error) {
	if cursor != "" && *r.refusing {
		r.api.FailNext(1, 422, `{"errors":{"cursor":["Invalid value"]}}`)
	}
	return r.shop.List(ctx, resource, filters, cursor, limit)
}

// A page that is too large is read in smaller ones.
func TestLargePages(t *testing.T) {
	s := newShop(t, 40)
	for id := 1; id <= 40; id++ {
		s.put(`{"charge":{"id":%d,"customer":{"id":%d},"status":"queued","scheduled_at":"2026-05-20","note":%q,"created_at":"2026-04-01T00:00:00+00:00","updated_at":"2026-04-02T00:00:00+00:00"}}`, 10*id, id, strings.Repeat("x", 300_000))
	}
	p, err := s.run(backfill.Import{})
	require.NoError(t, err)
	assert.Zero(t, p.Again)
	assert.Len(t, s.lines(" backfillcharge/updated"), 80)
}

// What can't be read is counted, and nobody is thought to have no subscriptions because of it.
func TestUnreadable(t *testing.T) {
	s := newShop(t, 3)
	s.put(`{"subscription":{"id":77,"customer_id":2,"status":"active","updated_at":"yesterday"}}`)
	p, err := s.run(backfill.Import{})
	require.NoError(t, err)
	assert.Equal(t, 1, p.Unreadable)
	assert.False(t, p.Incomplete)
	assert.Len(t, s.lines(`"complete":true`), 2)

	s = newShop(t, 3)
	s.put(`{"subscription":{"id":77,"status":"active","updated_at":"yesterday"}}`)
	p, err = s.run(backfill.Import{})
	require.NoError(t, err)
	assert.True(t, p.Incomplete)
	assert.Empty(t, s.lines(`"complete":true`))
}

// A backfill publishes what changed in a time, customers first.
func TestBackfill(t *testing.T) {
	s := newShop(t, 3)
	s.put(`{"customer":{"id":2,"email":"new@example.com","updated_at":"2026-04-20T00:00:00+00:00"}}`)
	s.put(`{"subscription":{"id":3001,"customer_id":3,"status":"cancelled","updated_at":"2026-04-21T00:00:00+00:00"}}`)
	s.put(`{"subscription":{"id":3002,"customer_id":3,"status":"cancelled","updated_at":"2026-04-29T00:00:00+00:00"}}`)
	b := backfill.Backfill{Config: s.config(), Since: noon().AddDate(0, 0, -14), Until: noon().AddDate(0, 0, -7), Resources: backfill.Resources(), Events: true}
	p, err := b.Run(t.Context())
	require.NoError(t, err)
	require.NoError(t, b.Dir.Remove())
	assert.Equal(t, []int{1, 1, 0}, []int{p.Customers, p.Subscriptions, p.Charges})
	assert.Len(t, s.lines(`acme/2 backfillcustomer/updated since "2026-04-17T12:00:00Z"`), 1)
	assert.Len(t, s.lines("acme/3 backfillsubscription/updated"), 1)

	s.published = map[string]bool{}
	b.Config, b.Resources, b.Events, b.Until = s.config(), []string{"charges"}, false, time.Time{}
	b.Since = noon().AddDate(0, 0, -30)
	p, err = b.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int{0, 0, 3}, []int{p.Customers, p.Subscriptions, p.Charges})
	_, err = backfill.Import{Config: b.Config}.Run(t.Context())
	require.ErrorIs(t, err, backfill.ErrOtherRun, "the directory was not removed")
	require.NoError(t, b.Dir.Close())
}
