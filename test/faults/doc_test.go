// Package faults_test kills, freezes and disconnects processes and brokers under load, and then checks the outcome of each
// record: none may be lost, duplicated or out of its key's order.
//
//	system_test.go      brokers, the binary's processes, and their names in a log
//	load_test.go        webhooks of many customers, and which of them were accepted
//	audit_test.go       the outcome of each raw record, by the lineage in the outputs' headers
//	bloomreach_test.go  a proxy that counts the commands to Bloomreach
//	bloomreach_arrivals_test.go
//	                    a proxy that records each arrival of a command, and its answer
//	fault_test.go       the faults: of processes, of brokers, of the network
//	rounds_test.go      random faults, round after round, on each kind of broker
//	points_test.go      every step of a transaction and of a takeover in the source
//	steps_test.go       a process is killed, or becomes a zombie, between any two steps
//	handled_test.go     the same for sinks, between their effect and its commit
//	histories_test.go   the same during customer histories, compared with every expected event, row and property
//	shop_test.go        the shop of those histories: its transformers, their copies of the state, and their output
//	stream_test.go      the shop's webhooks, written as the gateway writes them
//	texts_steps_test.go the sms role is killed, or becomes a zombie, at each step of a text
//	texts_test.go       brokers are killed while texts are claimed
//	callbacks_test.go   gateway and sms are killed, or become zombies, at each step of a callback and of a text that is reported
//	callbacks_provider_test.go
//	                    the provider of that test: how it takes texts, and its callbacks
//	callbacks_check_test.go
//	                    what must come of them
//	tracking_test.go    commands that the tracking sink repeats after kill -9
//	tracking_failures_test.go
//	                    the tracking sink is killed, frozen and joined while Bloomreach fails in each way
//	tracking_stores_test.go
//	                    the two stores of that test, and what must come of their events and facts
//	producer_test.go    the producer alone; numbers/ is the process that is killed
//	rebalance_test.go   the pause of a rebalance
//	plan_test.go        how much of the suite runs, and with which seed
package faults_test
