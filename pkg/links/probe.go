package links

// ProbePath is the path of no short link. The role links answers it with the header ProbeHeader, so that rechargeflow doctor sees whether a domain
// leads there.
const (
	ProbePath   = Prefix + "-"
	ProbeHeader = "X-Rechargeflow-Links"
)

// The values of ProbeHeader: all links are read, or not yet.
const (
	ProbeReady   = "ready"
	ProbeReading = "reading"
)
