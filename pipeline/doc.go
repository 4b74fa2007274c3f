// Package pipeline is the path of a webhook from Recharge to Bloomreach and to a
// subscriber's phone, one file per stage. Read it in this order:
//
//	pipeline.go          the table      which stage reads which topic in which group
//	gateway.go           HTTP webhook   -> recharge.webhooks: verify, publish, 200
//	transformer.go       raw webhook    -> recharge.events, recharge.sms-triggers
//	parked.go            a webhook that leaves its customer out -> put aside
//	released.go          what was put aside -> decided on, some at a time
//	undoable.go          what a record changed -> nothing, when it comes again or is rejected
//	sweep.go             what is remembered -> nothing, when it is past its age
//	learn.go             an answer of Recharge's API -> what is known, what was put aside
//	questions.go         what has no answer yet; an answer that can't be read -> the question again
//	asking.go            Recharge's API -> recharge.webhooks: what is wanted, apart from the stream
//	tables.go            what is known -> recharge.customers, recharge.subscriptions
//	tracking.go          event          -> Bloomreach, up to 50 at a time
//	tracking_command.go  event          -> what exactly Bloomreach is told
//	sms.go               trigger        -> a text, at most once
//	stage.go             any handler    -> outputs, at once or in one transaction with the offset
//	settle.go            its results    -> dead letters, counters, log lines
//	waiting.go           what partitions wait for
//	fate.go              what becomes of a record; a rejected one and its way back: pkg/deadletter
//	reason.go            every reason there is
//	record.go            the records' headers
//	topics.go            the topics' names
package pipeline
