package pipeline

import (
	"errors"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Store is one shop, as the stages know it.
type Store struct {
	Settings subscriber.Settings
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
	// State, Raw and Asker are needed by RoleTransformer only.
	State State
	Raw   RawReader
	Asker Asker
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
			transformer, err := o.transformer(run)
			if err != nil {
				return nil, fmt.Errorf("build %s: %w", role, err)
			}
			stages = append(stages, &Stage{Role: role, Topics: run.Topics.Reads(role), Group: run.Topics.Group(role, ""), Transactor: transformer, run: run})
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
	if o.State == nil || o.Raw == nil || o.Asker == nil {
		return nil, errors.New("it needs a state, a reader of raw records and someone to ask the API")
	}
	settings := map[string]subscriber.Settings{}
	for _, s := range o.Stores {
		settings[s.Settings.Store] = s.Settings
	}
	return NewTransformer(run, settings, o.State, o.Raw, o.Asker)
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
