// Package message is the life of a text: triggers of one action become one message, which is planned, claimed, sent and answered. It
// reads and writes the rows of recharge.sms-state, knows no Kafka and no provider, and has no clock.
//
//	status        by                                                    next
//	planned       a trigger; a receipt that it is to be sent again      claimed, suppressed
//	claimed       Claim, when it is due                                 accepted, rejected, unknown, planned
//	accepted      a receipt: the provider has it                        sent, delivered, undelivered
//	sent          a delivery report: it is on its way                   delivered, undelivered
//	delivered     a delivery report                                     none
//	undelivered   a delivery report                                     delivered, which some providers report later
//	rejected      a receipt: the provider refused it                    accepted, if a late receipt proves it
//	unknown       a receipt, or a claim without one: perhaps sent       accepted, rejected, sent, delivered, undelivered, planned
//	suppressed    it is not to be sent, for a reason                    none
//
// A message leaves planned only in a committed transaction before the provider is called, and never comes back to it unless it was
// certainly not sent, or the provider drops a second text: so a text is sent at most once.
//
//	message.go   Message, its triggers and statuses
//	book.go      Book: the messages of one partition in one transaction
//	rows.go      rows and their keys
//	trigger.go   a trigger joins a message or opens one
//	absorb.go    what belongs to one action
//	revoke.go    what has become untrue
//	claim.go     what is due
//	pause.go     what is due and held
//	count.go     how many texts a customer had
//	due.go       Due: when the next text of a store is due, in memory
//	receipt.go   what the provider answered or reported
//	links.go     the short links of a text, until they end
//	click.go     clicks on them
//	opt_out.go   which texts say how to opt out
//	erase.go     messages of a customer whose personal data was erased
//	expire.go    messages that nothing refers to any more
//	public.go    Change and Text: what leaves the role
package message
