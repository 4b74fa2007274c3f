package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// texter is what the sms role knows of its stores.
type texter struct {
	app     *App
	flows   *flowBook
	consent *consent.Table // nil if no store sends texts
	counted *texting       // likewise
}

// store returns how a store sends its texts.
func (t *texter) store(store config.Store) (*texts.Store, error) {
	built, err := TextsOf(store)
	if err != nil {
		return nil, err
	}
	built.Flow, built.Sending = t.flows.of(store.Name), t.flows.sendingOf(store.Name)
	built.MayText = func(number string) (reason.Reason, bool) { return t.consent.MayText(store.Name, number) }
	built.MayClaim = func() bool { return t.consent.IsCurrent() }
	built.Destination.Consent = func(number string) string { return string(t.consent.Status(store.Name, number)) }
	return built, nil
}

// TextsOf returns what the configuration says about how a store sends its texts. Flow, Sending, MayText, MayClaim and Destination.Consent change at run time, and are
// nil.
func TextsOf(store config.Store) (*texts.Store, error) {
	zones, err := quiethours.NewFinder(store.SMS.TimeZone, store.SMS.DefaultRegion)
	if err != nil {
		return nil, fmt.Errorf("sms.time_zone: %w", err)
	}
	help := helpText(store.SMS)
	if err := flow.CheckHelp(help, ShopOf(store)); help != "" && err != nil {
		return nil, fmt.Errorf("sms.help_text: %w", err)
	}
	renders, abilities := store.SMS.Mode == config.SMSTrigger, providerOf(store).abilities
	return &texts.Store{
		Shop: ShopOf(store), Help: help, From: store.SMS.From, DefaultRegion: store.SMS.DefaultRegion, Zones: zones,
		Destination: texts.Destination{
			Renders: renders, KeepsQuietHours: store.SMS.QuietHours == config.SMSDestination,
			FindsNumbers: renders && store.SMS.Consent == config.SMSDestination, Deduplicates: abilities.Deduplicates,
		},
		Lease: sender.Lease(store.SMS.Timeout, abilities), CallWithin: sender.BeginWithin, Window: store.SMS.Window,
		LinksTTL: store.SMS.Links.TTL, Code: links.NewCode,
	}, nil
}

// await waits until flows and consent are read. It returns false if ctx has ended.
func (t *texter) await(ctx context.Context) bool {
	for _, ready := range []<-chan struct{}{t.flows.table.Ready(), t.consent.Ready()} {
		select {
		case <-ready:
		case <-ctx.Done():
			return false
		}
	}
	t.counted.logReady()
	return true
}

// consentReady is a check for /readyz.
func (t *texter) consentReady() error {
	select {
	case <-t.consent.Ready():
	default:
		return errors.New("recharge.consent is not read yet: no text is sent")
	}
	if !t.consent.IsCurrent() {
		return errors.New("recharge.consent can't be read now: no text is sent")
	}
	return nil
}

// addTexts adds flows and how the stores send, and if a store sends texts consent, their state and the sender.
func (a *App) addTexts(p *part, cfg config.Config, options *pipeline.Options) error {
	t := &texter{app: a, flows: newFlowBook(cfg.Kafka, cfg.Stores, a.log)}
	p.texts = t
	p.check("settings", !a.has(topology.RoleGateway), t.flows.ready)
	p.check("flows", false, t.flows.trouble)
	p.check("paused texts", false, t.flows.held)
	p.task(func(ctx context.Context) error { return t.flows.table.Run(ctx, a.cluster) })
	lanes, modes, counted := map[string]sender.Lane{}, map[string]consent.Mode{}, &texting{texter: t}
	p.onStart(func() { a.metrics.Texting(counted.report) })
	for i, store := range cfg.Stores {
		if !options.Stores[i].Settings.SMS {
			continue
		}
		provider := providerOf(store)
		driver, err := provider.driver(a.log, a.observe("sms", store.Name))
		if err != nil {
			return buildError(store, err)
		}
		if options.Stores[i].Texts, err = t.store(store); err != nil {
			return buildError(store, err)
		}
		lanes[store.Name] = sender.Lane{Driver: driver, Abilities: provider.abilities, AtOnce: store.SMS.AtOnce}
		modes[store.Name] = consent.Mode(store.SMS.Consent)
		counted.stores = append(counted.stores, store)
		p.within = max(p.within, sender.Lease(store.SMS.Timeout, provider.abilities))
	}
	if len(lanes) == 0 {
		return nil
	}
	t.consent, t.counted = consent.NewTable(a.runtime.Topics.Consent(), modes, a.log), counted
	p.task(func(ctx context.Context) error { return t.consent.Run(ctx, a.cluster) })
	p.check("consent", false, t.consentReady)
	return a.addSender(p, cfg, lanes, options)
}

// addSender adds the state of the texts and the sender.
func (a *App) addSender(p *part, cfg config.Config, lanes map[string]sender.Lane, options *pipeline.Options) error {
	store, err := a.stateOf(p.role, a.runtime.Topics.SMSState(), cfg.SMS.StateDir, cfg.SMS.StateCache)
	if err != nil {
		return fmt.Errorf("sms.state_dir: %w", err)
	}
	claims, err := a.openClaims()
	if err != nil {
		return err
	}
	to := sender.New(sender.Config{
		Role: string(p.role), Lanes: lanes, Write: pipeline.WriteReceipt(a.runtime), Metrics: a.metrics, Log: a.log, Now: a.now,
		Paused: p.texts.flows.paused, OptedOut: writeOptOut(a.runtime, a.now), Claims: claims, FaultPoint: a.faultPoint,
	})
	p.onClose(to.Close) // waits for texts
	p.check("sms gateways", false, to.Trouble)
	options.TextState, options.Sender = textState{store}, to
	return nil
}

// openClaims opens the file of claims once, which the embedded broker needs; nil with other brokers.
func (a *App) openClaims() (*sender.Claims, error) {
	if len(a.cfg.Kafka.Brokers) > 0 || a.claims != nil {
		return a.claims, nil
	}
	claims, err := sender.OpenClaims(filepath.Join(a.cfg.Embedded.Dir, "sms-claims"))
	if err != nil {
		return nil, fmt.Errorf("embedded.dir: %w", err)
	}
	a.claims = claims
	a.onClose("close claims", claims.Close)
	return claims, nil
}

// writeOptOut returns what writes that the number of a text has opted out at its provider.
func writeOptOut(run pipeline.Runtime, now func() time.Time) func(ctx context.Context, t sender.Text, code string) error {
	return func(ctx context.Context, t sender.Text, code string) error {
		change, err := consent.New(consent.Change{
			Store: t.Claim.Store, Number: t.SMS.To, Status: consent.OptedOut, At: now(), By: consent.ByDestination, Detail: code,
		})
		if err != nil {
			return fmt.Errorf("make consent change: %w", err)
		}
		record, err := change.Record(run.Topics.Consent(), change.At)
		if err != nil {
			return fmt.Errorf("make consent record: %w", err)
		}
		return run.Produce(ctx, record)
	}
}

// textState is a state store as a pipeline.TextState.
type textState struct{ store *state.Store }

// TakeOver restores the local copy of a partition.
func (s textState) TakeOver(ctx context.Context, partition int) error {
	return s.store.Partition(partition).TakeOver(ctx)
}

// Release releases a partition.
func (s textState) Release(partition int) { s.store.Partition(partition).Release() }

// Begin opens an overlay.
func (s textState) Begin(partition int) pipeline.TextRows {
	return s.store.Partition(partition).Begin()
}
