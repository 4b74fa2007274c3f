package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	names "github.com/rechargeflow/rechargeflow/pkg/bloomreach/command"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Preview returns the Bloomreach commands that a webhook of a store would become, received at a time, if nothing else were known of its
// customer; and why, if there are none. Nothing is sent.
func Preview(store config.Store, topic recharge.Topic, body []byte, at time.Time) ([]Command, reason.Reason, error) {
	e, err := explain(described(store), topic, body, at)
	if err = cmp.Or(err, e.Err); err != nil {
		return nil, "", err
	}
	if len(e.Commands) == 0 {
		return nil, cmp.Or(e.Reason, reason.NotTracked), nil
	}
	return e.Commands, "", nil
}

// Command is what Bloomreach receives.
type Command = bloomreach.Command

// PushRole is the role whose settings a push of segments needs.
const PushRole = string(topology.RoleTracking)

// ErrNoDestination means that a store sends nothing to a destination of events.
var ErrNoDestination = errors.New("bloomreach.enabled is false in this store: it sends nothing")

// Tracker is a client of a Bloomreach project.
type Tracker = pipeline.Tracker

// TrackerOf returns a client for a command; ErrNoDestination if the store sends nothing. It takes its part of the requests to the address, as one more process.
func TrackerOf(store config.Store) (Tracker, error) {
	b := store.Bloomreach
	if !b.Enabled {
		return nil, ErrNoDestination
	}
	return newTracker(b, bloomreach.NewBudget(b.PerMinute, b.Replicas+1), nil)
}

// FormerIDs returns the ids of a profile that a customer of a store had.
func FormerIDs(store config.Store) func(id string) map[string]string {
	return func(id string) map[string]string { return map[string]string{store.Bloomreach.CustomerIDName: id} }
}

// SendsEvents reports whether a store's events are sent to Bloomreach.
func SendsEvents(store config.Store) bool { return store.Bloomreach.Enabled }

// commandsOf returns what Bloomreach receives of a decision.
func commandsOf(built pipeline.Store, d subscriber.Decision) (commands []Command, err error) {
	tracked := slices.DeleteFunc(slices.Clone(d.Facts), func(e subscriber.Event) bool { return !built.Settings.Tracks(e.Status) })
	for _, e := range slices.Concat(d.Events, tracked) {
		if e.PortalLink != "" {
			e.PortalLink = "***" // who has it needs no password
		}
		ids, err := built.CustomerIDs(e)
		if err != nil {
			return nil, err
		}
		c, err := names.Of(e.ID, ids, e)
		if err != nil {
			return nil, err
		}
		commands = append(commands, c)
	}
	return commands, nil
}

// SampleSent is what Bloomreach answered to a sample.
type SampleSent struct {
	Name   string // event type and status, or customer property
	Errors []string
}

// Sample sends one of each event and property that a store's settings send, to one customer, each marked as a sample. Each type is sent in a
// request of its own, because permissions are given by type. The error is that of all requests.
func Sample(ctx context.Context, store config.Store, customer subscriber.Customer, rechargeID string, at time.Time) ([]SampleSent, error) {
	client, err := newTracker(store.Bloomreach, nil, nil)
	if err != nil {
		return nil, err
	}
	built := described(store)
	var sent []SampleSent
	var commands []bloomreach.Command
	for i, e := range samplesOf(built.Settings, at) {
		e = addressed(e, built.Settings, customer.Email, rechargeID)
		ids, err := built.CustomerIDs(e)
		if err != nil {
			return nil, err
		}
		c, err := names.Sample(fmt.Sprintf("sample-%d", i), ids, e)
		if err != nil {
			return nil, err
		}
		commands, sent = append(commands, c), append(sent, SampleSent{Name: strings.TrimSpace(string(e.Type) + " " + e.Status)})
	}
	return sent, sendSamples(ctx, client, commands, sent)
}

// sendSamples sends commands, those of one type together, and sets what was answered. The error is that of all requests.
func sendSamples(ctx context.Context, client *bloomreach.Client, commands []bloomreach.Command, sent []SampleSent) error {
	var first error
	answered := false
	for from := 0; from < len(commands); {
		to := from + 1
		for to < len(commands) && typeOf(sent[to]) == typeOf(sent[from]) {
			to++
		}
		results, err := client.Batch(ctx, commands[from:to])
		if first == nil {
			first = err
		}
		for i, r := range results {
			sent[from+i].Errors = errorsOf(r, err)
		}
		answered, from = answered || err == nil, to
	}
	if answered {
		return nil
	}
	return first
}

// errorsOf returns why a command was not accepted, given the error of its batch.
func errorsOf(r bloomreach.Result, err error) []string {
	if r.Outcome == bloomreach.Unanswered && err != nil {
		return []string{err.Error()}
	}
	return r.Errors
}

// typeOf returns the event type of a sample.
func typeOf(s SampleSent) string {
	name, _, _ := strings.Cut(s.Name, " ")
	return name
}

// eventsOf returns the destination of a store's events, for its checks. Samples go to a test customer, if one is given.
func eventsOf(store config.Store, email string, now func() time.Time) doctor.Destination {
	b := store.Bloomreach
	d := doctor.Destination{Name: "bloomreach", Host: hostOf(b.URL), SampleCommand: "rechargeflow doctor --store " + store.Name + " --send --email and a test customer"}
	if !b.Enabled {
		d.Off = "bloomreach.enabled is false"
		return d
	}
	if b.Project == "" {
		d.Off = "its credentials are not set here"
		return d
	}
	d.Probe = func(ctx context.Context) error {
		client, err := newTracker(b, nil, nil)
		if err != nil {
			return err
		}
		if err = client.Probe(ctx); errors.Is(err, bloomreach.ErrUnproven) {
			return fmt.Errorf("%w: %w", doctor.ErrUnproven, err)
		}
		return err
	}
	if email != "" {
		d.Sample = func(ctx context.Context) (samples []doctor.Sample, err error) {
			sent, err := Sample(ctx, store, subscriber.Customer{Email: strings.ToLower(email)}, sampleRechargeID, now().Truncate(time.Second))
			for _, each := range sent {
				samples = append(samples, doctor.Sample(each))
			}
			return samples, err
		}
	}
	return d
}

// sampleRechargeID is the Recharge customer id of test customers: Recharge's own are much larger.
const sampleRechargeID = "1"

// addressed returns a sample as one of a store's, of a given customer, without another one's data.
func addressed(e subscriber.Event, s subscriber.Settings, email, rechargeID string) subscriber.Event {
	e.Store, e.RechargeCustomerID, e.Email = s.Store, rechargeID, email
	if s.Portal.Template == "" {
		e.PortalLink = ""
	}
	if e.Profile != nil {
		p := *e.Profile
		p.Email, p.RechargeID, p.Phone = email, rechargeID, ""
		e.Profile = p.Only(s.Profile)
	}
	if e.Customer != nil {
		c := *e.Customer
		c.Email, c.OldEmail, c.Phone = email, "", ""
		e.Customer = &c
	}
	return e
}

// samplesOf returns the samples that a store's settings send: each status that is tracked.
func samplesOf(s subscriber.Settings, at time.Time) (samples []subscriber.Event) {
	for _, e := range names.Samples(at) {
		switch e.Type {
		case subscriber.EventProperty:
			if s.ActiveProperty {
				samples = append(samples, e)
			}
		case subscriber.EventProfile:
			if len(s.Profile) > 0 {
				samples = append(samples, e)
			}
		case subscriber.EventCustomerChange:
			samples = append(samples, e)
		default:
			samples = append(samples, withStatuses(s, e)...)
		}
	}
	return samples
}

// withStatuses returns a sample once for each status of its kind that is tracked.
func withStatuses(s subscriber.Settings, e subscriber.Event) (samples []subscriber.Event) {
	for _, status := range subscriber.StatusesOf(e) {
		if subscriber.AlwaysTracked(e.Type, status) || s.Tracks(status) {
			e.Status = status
			samples = append(samples, e)
		}
	}
	return samples
}
