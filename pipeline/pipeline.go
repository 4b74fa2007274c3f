package pipeline

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Store is one shop, as the stages know it.
type Store struct {
	Settings subscriber.Settings
	// Customers is the store's access to Recharge's API; nil when it has none.
	Customers CustomerReader
	// Tracker is its Bloomreach project; nil when its events go nowhere.
	Tracker Tracker
	// Texts is how it sends texts; nil when it sends none.
	Texts *Texts
}

// Options is what the stages are made of.
type Options struct {
	Stores []Store
	// Ledger is needed by RoleSMS only.
	Ledger ledger.Ledger
	// Customers looked up at Recharge are remembered: so many, for so long.
	CustomerCacheSize int
	CustomerCacheTTL  time.Duration
}

// Stages is the table of what a process with the given roles reads:
//
//	role         topic                  group                             work
//	transformer  recharge.webhooks      rechargeflow.transformer          Transformer
//	tracking     recharge.events        rechargeflow.tracking.{store}     Tracking, one per store
//	sms          recharge.sms-triggers  rechargeflow.sms.{store}          SMS, one per store
//
// Beside its topic each reads recharge.redrive.{role}, in the same group and with the same partition numbers. The gateway
// reads no topic: see NewGateway.
func Stages(roles []Role, o Options, run Runtime) ([]*Stage, error) {
	var stages []*Stage
	for _, role := range roles {
		switch role {
		case RoleGateway:
		case RoleTransformer:
			handler, err := o.transformer(run)
			if err != nil {
				return nil, fmt.Errorf("build %s: %w", role, err)
			}
			stages = append(stages, &Stage{Role: role, Topics: run.Topics.Reads(role), Group: run.Topics.Group(role, ""), Handler: handler, Transactional: true, run: run})
		case RoleTracking:
			stages = append(stages, o.tracking(run)...)
		case RoleSMS:
			stages = append(stages, o.sms(run)...)
		default:
			return nil, fmt.Errorf("role %q is unknown", role)
		}
	}
	return stages, nil
}

func (o Options) transformer(run Runtime) (*Transformer, error) {
	settings, readers := map[string]subscriber.Settings{}, map[string]CustomerReader{}
	for _, s := range o.Stores {
		s.Settings.API = s.Customers != nil
		settings[s.Settings.Store] = s.Settings
		if s.Customers != nil {
			readers[s.Settings.Store] = s.Customers
		}
	}
	customers, err := NewCustomers(readers, o.CustomerCacheSize, o.CustomerCacheTTL, run.Now)
	if err != nil {
		return nil, err
	}
	return NewTransformer(run, settings, customers)
}

func (o Options) tracking(run Runtime) []*Stage {
	var stages []*Stage
	for _, s := range o.Stores {
		if s.Tracker == nil {
			continue
		}
		stages = append(stages, &Stage{
			Role: RoleTracking, Topics: run.Topics.Reads(RoleTracking), Group: run.Topics.Group(RoleTracking, s.Settings.Store),
			Handler: NewTracking(s.Settings.Store, s.Tracker, run.Metrics), Sink: true, run: run,
		})
	}
	return stages
}

func (o Options) sms(run Runtime) []*Stage {
	var stages []*Stage
	for _, s := range o.Stores {
		if s.Texts == nil {
			continue
		}
		stages = append(stages, &Stage{
			Role: RoleSMS, Topics: run.Topics.Reads(RoleSMS), Group: run.Topics.Group(RoleSMS, s.Settings.Store),
			Handler: NewSMS(s.Settings.Store, *s.Texts, o.Ledger, run), Sink: true, Whole: true, run: run,
		})
	}
	return stages
}
