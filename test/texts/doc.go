// Package texts checks what is counted about texts: the members of segments, and the numbers of flows by day. Texts of customers are simulated over two months.
// Another computation, which reads nothing but the values of the topics, must come to the same.
//
//	life_test.go     the texts of a customer: triggers, decisions, answers of the provider, clicks, and what customers did then
//	topics_test.go   what is written to the topics
//	answers_test.go  the same answers from the values of the topics
//	texts_test.go    both answers are the same
package texts
