package settings_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

func TestSegments(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	rule := func(text string) segment.Rule {
		r, err := segment.Parse(text)
		require.NoError(t, err)
		return r
	}
	change := func(c settings.SegmentChange) (settings.Segment, bool, error) {
		c.Store, c.By, c.At = "acme", "ann", at(1)
		return s.ChangeSegment(t.Context(), b.Cluster(), c)
	}
	read := func() *settings.Rows[settings.Setting] {
		rows, err := s.Read(t.Context(), b.Cluster())
		require.NoError(t, err)
		require.NoError(t, rows.Unreadable())
		return rows
	}
	first, second := rule("received any in 30d"), rule("(clicked any and not received charge_paid) or clicked charge_failed")

	made, changed, err := change(settings.SegmentChange{Name: "at_risk", Rule: first})
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, settings.Segment{Store: "acme", Name: "at_risk", Version: 1, At: at(1).UTC(), By: "ann", Rule: first}, made)
	_, changed, err = change(settings.SegmentChange{Name: "at_risk", Rule: first})
	require.NoError(t, err)
	assert.False(t, changed, "the same rule again")
	_, _, err = change(settings.SegmentChange{Name: "at_risk", Rule: second})
	require.ErrorIs(t, err, settings.ErrSegment)
	require.ErrorContains(t, err, "segment at_risk of store acme exists, and is: received any in 30d")
	made, _, err = change(settings.SegmentChange{Name: "at_risk", Rule: second, Replace: true})
	require.NoError(t, err)
	assert.Equal(t, 2, made.Version)
	seen := 1
	_, _, err = change(settings.SegmentChange{Name: "at_risk", Rule: first, Replace: true, Version: &seen})
	require.ErrorIs(t, err, settings.ErrVersion)
	_, _, err = change(settings.SegmentChange{Name: "at-risk", Rule: second})
	require.ErrorIs(t, err, segment.ErrRule)
	_, _, err = change(settings.SegmentChange{Name: "none", Delete: true})
	require.ErrorContains(t, err, "store acme has no segment none")
	_, _, err = change(settings.SegmentChange{Name: "late", Rule: first})
	require.NoError(t, err)
	assert.Equal(t, []string{"at_risk", "late"}, namesOf(settings.SegmentsOf(read(), "acme")))
	assert.Empty(t, settings.SegmentsOf(read(), "acm"))

	_, changed, err = change(settings.SegmentChange{Name: "at_risk", Delete: true})
	require.NoError(t, err)
	assert.True(t, changed)
	_, _, err = change(settings.SegmentChange{Name: "at_risk", Delete: true})
	require.ErrorIs(t, err, settings.ErrSegment)
	assert.Equal(t, []string{"late"}, namesOf(settings.SegmentsOf(read(), "acme")))
	made, _, err = change(settings.SegmentChange{Name: "at_risk", Rule: first})
	require.NoError(t, err)
	assert.Equal(t, 4, made.Version, "it continues to count")
	assert.Equal(t, made, settings.SegmentOf(read(), "acme", "at_risk"))

	validator, err := schematest.New()
	require.NoError(t, err)
	records, err := kafkatest.ReadAll(t.Context(), b.Cluster(), s.Name)
	require.NoError(t, err)
	require.Len(t, records, 10)
	for _, r := range records {
		require.NoError(t, validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
	}
}

func namesOf(all []settings.Segment) (names []string) {
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}
