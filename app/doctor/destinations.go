package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrUnproven means that a destination answered, but not whether the credentials are right.
var ErrUnproven = errors.New("credentials are not proven")

// check checks the credentials of a destination, and sends samples if it is to.
func (d Destination) check(ctx context.Context) []Row {
	if d.Off != "" {
		return []Row{{Check: d.Name, Status: OK, Found: "no events are sent: " + d.Off}}
	}
	row := within(ctx, d.probe)
	if d.Sample == nil {
		return []Row{row}
	}
	if row.Status == Failed {
		return []Row{row, notChecked(d.Name+" samples", "of the credentials")}
	}
	return append([]Row{row}, within(ctx, d.samples)...)
}

func (d Destination) probe(ctx context.Context) Row {
	err := d.Probe(ctx)
	switch {
	case err == nil:
		return Row{Check: d.Name, Status: OK, Found: d.Host + " accepts the credentials"}
	case errors.Is(err, ErrUnproven):
		return Row{Check: d.Name, Status: Warning, Found: err.Error(), Cure: d.SampleCommand + " sends samples"}
	}
	return failed(d.Name, err)
}

// failed is the row of an error, whose last part may say what to check.
func failed(check string, err error) Row {
	found, cure, _ := strings.Cut(err.Error(), "; check ")
	if cure != "" {
		cure = "check " + cure
	}
	return Row{Check: check, Status: Failed, Found: found, Cure: cure}
}

func (d Destination) samples(ctx context.Context) (rows []Row) {
	sent, err := d.Sample(ctx)
	if err != nil {
		return []Row{failed(d.Name+" samples", err)}
	}
	accepted := 0
	for _, sample := range sent {
		if len(sample.Errors) == 0 {
			accepted++
			continue
		}
		rows = append(rows, failed(d.Name+" sample "+sample.Name, errors.New(strings.Join(sample.Errors, ", "))))
	}
	if accepted > 0 {
		rows = append(rows, Row{Check: d.Name + " samples", Status: OK, Found: fmt.Sprintf("%d of %d are accepted", accepted, len(sent))})
	}
	return rows
}
