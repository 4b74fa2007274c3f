package consent_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
)

func TestReadCSV(t *testing.T) {
	list := "\xef\xbb\xbfSource, Number ,email,status,at\r\n" +
		"checkout,+1 415 555 2671,jo@example.com,opted_in,2026-03-01T11:00:00.5+01:00\r\n" +
		",+447911123456,,opted_out,2026-03-02\r\n" +
		"\r\n" +
		"\"a \"\"b\"\"\",+14155552671,,opted_out,2026-03-03T00:00:00Z\r\n"
	for _, in := range []io.Reader{strings.NewReader(list), iotest.OneByteReader(strings.NewReader(list))} {
		changes, err := consent.ReadCSV(in, "acme", noon)
		require.NoError(t, err)
		assert.Equal(t, []consent.Change{
			{Store: "acme", Number: number, Status: consent.OptedIn, At: time.Date(2026, 3, 1, 10, 0, 0, 5e8, time.UTC), By: consent.ByImport, Detail: "checkout"},
			{Store: "acme", Number: "+447911123456", Status: consent.OptedOut, At: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), By: consent.ByImport},
			{Store: "acme", Number: number, Status: consent.OptedOut, At: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), By: consent.ByImport, Detail: `a "b"`},
		}, changes)
	}
}

// A list with a fault is not imported at all. Errors name the line and have no number.
func TestReadCSVRefuses(t *testing.T) {
	const head = "number,status,at\n"
	for list, want := range map[string]string{
		"":                               "the list is empty: its first line must be number,status,at,source",
		"\xef\xbb\xbf":                   "the list is empty: its first line must be number,status,at,source",
		"+14155552671,opted_in,2026":     "line 1: column number is missing: the first line must be number,status,at,source",
		"number,status\n":                "line 1: column at is missing: the first line must be number,status,at,source",
		"number,status,at,Number\n":      "line 1: column number is there twice",
		head + "+14155552671,opted_in\n": "read list: record on line 2: wrong number of fields",
		head + "+14155552671,\"x\n":      "read list: parse error on line 2, column 17: extraneous or missing \" in quoted-field",
		head + "+14155552671,in,2026-03-01\n4155552671,opted_in,2026-03-01\n\n+14*******71,opted_in,2026-03-01\n" +
			"+14155552671,opted_in,yesterday\n+14155552671,opted_in,2026-05-05\n+14155552671,opted_in,1999-01-01\n": "" +
			"line 2: status is neither opted_in nor opted_out\n" +
			"line 3: number is not one with its country code, such as +14155552671\n" +
			"line 5: number is masked: a list to import needs complete numbers (consent export --reveal)\n" +
			"line 6: at is not a time, such as 2026-03-01T10:00:00Z or 2026-03-01\n" +
			"line 7: at is in the future\n" +
			"line 8: consent change is not valid: the time is not between 2000 and 2200",
	} {
		changes, err := consent.ReadCSV(strings.NewReader(list), "acme", noon)
		require.EqualError(t, err, want)
		if !strings.Contains(want, "line 2: status") {
			assert.Empty(t, changes)
		}
	}
	_, err := consent.ReadCSV(strings.NewReader(head+strings.Repeat("x,opted_in,2026-03-01\n", 50)), "acme", noon)
	require.Error(t, err)
	assert.Equal(t, 20, strings.Count(err.Error(), "line "))
	assert.True(t, strings.HasSuffix(err.Error(), "line 21: number is not one with its country code, such as +14155552671\nthere may be more"))
	broken := errors.New("disk is gone")
	_, err = consent.ReadCSV(iotest.ErrReader(broken), "acme", noon)
	require.ErrorIs(t, err, broken)
}

// A list that is exported and imported again stays the same. A masked one can't be imported.
func TestCSVRoundTrip(t *testing.T) {
	changes := []consent.Change{
		{Store: "acme", Number: number, Status: consent.OptedOut, At: noon, By: consent.ByKeyword, Detail: "stop"},
		{Store: "acme", Number: "+447911123456", Status: consent.OptedIn, At: noon.Add(time.Millisecond), By: consent.ByOperator},
		{Store: "acme", Number: "+4915123456789", Status: consent.OptedIn, At: noon, By: consent.ByImport, Detail: "checkout, \"mobile\""},
	}
	var first, second, masked bytes.Buffer
	require.NoError(t, consent.WriteCSV(&first, changes, true))
	assert.Equal(t, "number,status,at,source\n"+
		"+14155552671,opted_out,2026-05-04T12:00:00Z,keyword: stop\n"+
		"+447911123456,opted_in,2026-05-04T12:00:00.001Z,operator\n"+
		"+4915123456789,opted_in,2026-05-04T12:00:00Z,\"checkout, \"\"mobile\"\"\"\n", first.String())
	read, err := consent.ReadCSV(bytes.NewReader(first.Bytes()), "acme", noon)
	require.NoError(t, err)
	for i, c := range read {
		assert.Equal(t, changes[i].Key(), c.Key())
	}
	require.NoError(t, consent.WriteCSV(&second, read, true))
	assert.Equal(t, first.String(), second.String())

	require.NoError(t, consent.WriteCSV(&masked, changes, false))
	assert.NotContains(t, masked.String(), number)
	_, err = consent.ReadCSV(&masked, "acme", noon)
	assert.ErrorContains(t, err, "line 2: number is masked")
}

// A list that can be read has only valid changes. No error has a number.
func FuzzReadCSV(f *testing.F) {
	f.Add("number,status,at,source\n+14155552671,opted_in,2026-03-01,x\n")
	f.Add("\xef\xbb\xbfnumber,status,at\n\"+14155552671\"\n")
	f.Fuzz(func(t *testing.T, list string) {
		changes, err := consent.ReadCSV(strings.NewReader(list), "acme", noon)
		if err != nil {
			return
		}
		for _, c := range changes {
			again, err := consent.New(c)
			require.NoError(t, err)
			assert.Equal(t, c, again)
		}
	})
}
