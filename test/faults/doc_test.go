// Package faults_test kills, freezes and cuts off what runs, under load, and then asks each record what became of it:
// none may be lost, doubled or out of its key's order.
//
//	world_test.go      brokers, the binary's processes, and what they are called in a log
//	load_test.go       webhooks of many customers, and which of them were taken
//	account_test.go    what became of each raw record, by the lineage in the outputs' headers
//	door_test.go       what stands before Bloomreach and counts
//	fault_test.go      what can go wrong: of processes, of brokers, of the network
//	rounds_test.go     faults at random, round after round, on each kind of broker
//	points_test.go     every step of a transaction and of a takeover, as the source has them
//	steps_test.go      a process ends, or becomes a zombie, between any two of them
//	handled_test.go    the same for sinks, between what they did and its commit
//	lives_test.go      the same while a whole shop lives, held to a reckoning of every event, row and flag
//	shop_test.go       that shop: its transformers, their copies of the state, and what came so far
//	stream_test.go     its webhooks, as the gateway would have written them
//	tracking_test.go   what the tracking sink sends again after kill -9
//	producer_test.go   the producer alone; numbers/ is the process that is killed
//	rebalance_test.go  what a rebalance costs
//	plan_test.go       how much of it is run, and with which seed
package faults_test
