// Package customerstate reads and writes the rows of recharge.state: the state of each customer, and their pending lookups and
// parked records. It sits on pkg/state, which keeps the rows of a partition as they are in the topic.
//
//	customer/{store}/{customer}
//		value    subscriber.State, JSON. If that exceeds 8 KiB: {"split":true,"customer":{...}}, and the rest is in the next two rows.
//			The row of a customer who was split stays so, until their deletion expires
//		written  when a record changes it; by a removal of expired facts or of an expired deletion
//		removed  525 days after customer/deleted, if no record or lookup of the customer is pending and no emitted fact is left
//	subscription/{store}/{customer}/{subscription}
//		value    subscriber.SubscriptionState, JSON
//		written  when a newer snapshot comes, or something happens to it
//		removed  with customer/deleted
//	emitted/{store}/{customer}/{month}
//		value    the first eight bytes of the id of each fact that was emitted, by month of receipt
//		written  with each fact
//		removed  by the customer's records after 14 months, else after 28 months, as in the customer's row
//	parked/{store}/{customer}/{partition}/{offset}
//		value    Parked, JSON: the place of a raw record that waits for a lookup
//		written  when the record is parked
//		removed  when it is replayed
//	lookup/{store}/{customer}/{kind}/{charge}
//		value    recharge.LookupRequest, JSON
//		written  when a decision requests a lookup
//		removed  when its answer is handled
//	replay/{store}/{customer}
//		value    the reason for which records are rejected whose customer is still unknown
//		written  when a transaction replays some of the parked records, and not all
//		removed  by the transaction that replays the last
//	owner/{store}/{subscription}
//		value    subscriber.OwnerState, JSON, in the partition of the key {store}/subscription/{subscription}
//		written  with each owner record of the subscription
//		removed  850 days after the webhook of the newest one
//	charge-owner/{store}/{charge}
//		value    subscriber.ChargeOwnerState, JSON, in the partition of the key {store}/charge/{charge}
//		written  with the owner record of a charge that is not paid, and with its deletion
//		removed  850 days after the last of them was received
//	format
//		value    the version byte alone
//		written  by the first transaction of a partition that writes rows of that version
//		removed  never
//
// Each value begins with a byte, the version of its encoding. There is one version yet; a newer one is an error. The format row has the
// greatest version of its partition, so that TakeOver needs to read no other row for that.
//
//	store.go     Store: TakeOver, Release and Begin of a partition
//	tx.go        Tx: one transaction's rows, its savepoints and its end
//	customer.go  Load and Save of a customer's state, in one row or several
//	parked.go    parked records
//	replay.go    which parked records are decided on now, and which later
//	lookup.go    lookup requests until their answers come
//	owner.go     the last known owner of a subscription
//	charge_owner.go  the customer of a charge, or its deletion
//	expire.go    the removal of expired rows, some at a time
//	decoded.go   the states of the last customers, decoded
//	encoding.go  keys, values and their versions
package customerstate
