// Package pipeline is the path of a webhook from Recharge to Bloomreach and to a subscriber's phone, one file per stage. Read
// it in this order:
//
//	pipeline.go          what a process runs: one stage per group
//	gateway.go           HTTP webhook   -> recharge.webhooks: verify, publish, 200
//	gateway_refusals.go  refused request -> answer, log line
//	transformer.go       raw webhook    -> recharge.events, recharge.sms-triggers, the public tables, the state
//	input.go             what the transformer decodes of a raw record
//	replay.go            parked records -> the same, once their customer is looked up
//	charges.go           charges that are deleted: owner and deletion records
//	owners.go            subscriptions that move to another customer: owner and moved records
//	lookups.go           lookup request -> Recharge's API -> recharge.webhooks
//	tracking.go          event          -> Bloomreach, up to 50 at a time
//	sms.go               trigger        -> recharge.messages: what is planned, claimed, answered; claimed texts to the sender
//	sms_claim.go         due text       -> claimed, held back or suppressed
package pipeline
