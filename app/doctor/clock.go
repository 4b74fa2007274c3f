package doctor

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

const checkClock = "clock"

// From these differences on the clock is wrong: timestamped signatures expire, and times of receipt decide on the order of facts.
const (
	clockOff    = 30 * time.Second
	clockFarOff = 5 * time.Minute
)

// dates compares the Date header of each response with the clock.
type dates struct {
	now  func() time.Time
	next http.RoundTripper

	mutex sync.Mutex
	seen  bool
	ahead time.Duration // of the clock of this machine
}

func newDates(now func() time.Time) *dates { return &dates{now: now, next: http.DefaultTransport} }

func (d *dates) client() *http.Client { return &http.Client{Transport: d, Timeout: Timeout} }

// RoundTrip is part of http.RoundTripper.
func (d *dates) RoundTrip(request *http.Request) (*http.Response, error) {
	began := d.now()
	response, err := d.next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return response, nil
	}
	middle := began.Add(d.now().Sub(began) / 2)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.seen, d.ahead = true, middle.Sub(at)-time.Second/2 // the header has whole seconds
	return response, nil
}

// check compares the clocks.
func (d *dates) check() Row {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if !d.seen {
		return notChecked(checkClock, "Recharge did not answer with a date")
	}
	off, direction := d.ahead, "ahead of"
	if off < 0 {
		off, direction = -off, "behind"
	}
	row := Row{Check: checkClock, Status: OK, Found: "agrees with Recharge's"}
	if off < clockOff {
		return row
	}
	row.Status, row.Found = Warning, fmt.Sprintf("%s %s Recharge's", off.Round(time.Second), direction)
	row.Cure = "synchronize the clock of this machine, for example by NTP"
	if off > clockFarOff {
		row.Status = Failed
	}
	return row
}
