package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/callback"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/logdriver"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// texts returns how a store sends its texts.
func (a *App) texts(store config.Store) (*texts.Store, error) {
	zones, err := quiethours.NewFinder(store.SMS.TimeZone, store.SMS.DefaultRegion)
	if err != nil {
		return nil, fmt.Errorf("sms.time_zone: %w", err)
	}
	help := helpText(store.SMS)
	if err := flow.CheckHelp(help, ShopOf(store)); help != "" && err != nil {
		return nil, fmt.Errorf("sms.help_text: %w", err)
	}
	return &texts.Store{
		Flow: a.flows.of(store.Name), Help: help, Sending: a.flows.sendingOf(store.Name), Destination: a.destination(store),
		Shop: ShopOf(store), From: store.SMS.From, DefaultRegion: store.SMS.DefaultRegion, Zones: zones,
		MayText: func(number string) (reason.Reason, bool) { return a.consent.MayText(store.Name, number) },
		Lease:   sender.Lease(store.SMS.Timeout), CallWithin: sender.BeginWithin, Window: store.SMS.Window,
	}, nil
}

// destination returns what the destination of a store's texts does itself.
func (a *App) destination(store config.Store) texts.Destination {
	renders := store.SMS.Mode == config.SMSTrigger
	return texts.Destination{
		Renders: renders, KeepsQuietHours: store.SMS.QuietHours == config.SMSDestination,
		FindsNumbers: renders && store.SMS.Consent == config.SMSDestination,
		Consent:      func(number string) string { return string(a.consent.Status(store.Name, number)) },
	}
}

// openTexts opens the state of the texts and starts the sender, if a store sends texts.
func (a *App) openTexts(cluster kafka.Cluster, runtime pipeline.Runtime, options *pipeline.Options) error {
	lanes, modes, counted := map[string]sender.Lane{}, map[string]consent.Mode{}, &texting{app: a}
	for i, store := range a.cfg.Stores {
		if options.Stores[i].Texts == nil {
			continue
		}
		driver, err := a.driver(store)
		if err != nil {
			return fmt.Errorf("build store %s: %w", store.Name, err)
		}
		lanes[store.Name] = sender.Lane{Driver: driver, AtOnce: store.SMS.AtOnce}
		modes[store.Name] = consent.Mode(store.SMS.Consent)
		counted.stores = append(counted.stores, store)
	}
	if len(lanes) == 0 {
		return nil
	}
	a.consent, a.texting = consent.NewTable(runtime.Topics.Consent(), modes, a.log), counted
	a.metrics.Texting(counted.report)
	a.health.Register("consent", false, func() error {
		select {
		case <-a.consent.Ready():
			return nil
		default:
			return errors.New("recharge.consent is not read yet: no text is sent")
		}
	})
	store, err := a.openStore(cluster, topology.RoleSMS, runtime.Topics.SMSState(), a.cfg.SMS.StateDir, a.cfg.SMS.StateCache)
	if err != nil {
		return fmt.Errorf("sms.state_dir: %w", err)
	}
	claims, err := a.openClaims()
	if err != nil {
		return err
	}
	to := sender.New(sender.Config{
		Role: string(topology.RoleSMS), Lanes: lanes, Write: pipeline.WriteReceipt(runtime), Metrics: a.metrics, Log: a.log, Now: a.now,
		Paused: a.flows.paused, Claims: claims, FaultPoint: a.faultPoint,
	})
	a.onClose("wait for texts", func() error {
		ctx, cancel := context.WithDeadline(context.Background(), a.stopBy.Add(-time.Second))
		defer cancel()
		return to.Close(ctx)
	})
	a.health.Register("sms gateways", false, to.Trouble)
	options.TextState, options.Sender = textState{store}, to
	return nil
}

// openClaims opens the file of claims, which the embedded broker needs; nil with other brokers.
func (a *App) openClaims() (*sender.Claims, error) {
	if len(a.cfg.Kafka.Brokers) > 0 {
		return nil, nil //nolint:nilnil // documented
	}
	claims, err := sender.OpenClaims(filepath.Join(a.cfg.Embedded.Dir, "sms-claims"))
	if err != nil {
		return nil, fmt.Errorf("embedded.dir: %w", err)
	}
	a.onClose("close claims", claims.Close)
	return claims, nil
}

func (a *App) driver(store config.Store) (sms.Driver, error) {
	if store.SMS.Driver == config.SMSWebhook {
		return webhook.New(webhook.Options{
			URL: store.SMS.URL, Secret: store.SMS.Secret.Reveal(), Timeout: store.SMS.Timeout,
			Observe: a.observe("sms", store.Name),
		})
	}
	return logdriver.New(a.log), nil
}

// callbackStores returns the stores whose driver has callbacks.
func (a *App) callbackStores() map[string]callback.Store {
	stores := map[string]callback.Store{}
	for _, store := range a.cfg.Stores {
		if store.SMS.Driver != config.SMSWebhook {
			continue
		}
		built := callback.Store{Provider: store.SMS.Driver, Help: helpText(store.SMS) != ""}
		if secret := store.SMS.Secret.Reveal(); secret != "" {
			built.Receiver, built.HelpKey = webhook.NewReceiver(store.Name, secret), []byte(secret)
		}
		stores[store.Name] = built
	}
	return stores
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
