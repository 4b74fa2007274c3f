package sender

import "time"

// pace keeps the calls of a lane below what its provider takes each second. A call is counted when it is reserved.
type pace struct {
	perSecond int // 0: any number
	left      float64
	at        time.Time // of left; the zero time at first
}

// take takes up to n calls, and returns how many. At most a fifth of a second's calls are saved up, and four fifths come each second: so no
// second has more than perSecond, whenever the provider's seconds begin.
func (p *pace) take(n int, now time.Time) int {
	if p.perSecond == 0 {
		return n
	}
	saved := max(1, float64(p.perSecond)/5)
	if p.at.IsZero() {
		p.left = saved
	} else if passed := now.Sub(p.at).Seconds(); passed > 0 {
		p.left = min(saved, p.left+passed*float64(p.perSecond)*4/5)
	}
	p.at = now
	n = max(0, min(n, int(p.left)))
	p.left -= float64(n)
	return n
}
