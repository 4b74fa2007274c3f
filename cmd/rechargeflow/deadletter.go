package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// deadletterList prints dead letters, and how many there are by role and reason.
func deadletterList(ctx context.Context, c call) int {
	o := newLetterOptions(c)
	limit := o.set.Int("limit", 200, "print at most so many `lines`, 0 for all; all are counted")
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	roles, err := o.roles()
	if err == nil {
		err = o.times(time.Now())
	}
	if err != nil {
		return misused(c, err)
	}
	loaded, ok := o.load(c)
	if !ok {
		return exitUsage
	}
	cluster, err := askedCluster(loaded.Config)
	if err != nil {
		return misused(c, err)
	}
	list := listing{call: c, limit: *limit, counts: map[string]tally{}}
	for _, role := range roles {
		for found, err := range deadletter.Search(ctx, cluster, lettersOf(loaded.Config, role), o.filter) {
			if err != nil {
				return failed(c, loaded.Config, err)
			}
			list.add(role, found)
		}
	}
	list.sum()
	return exitOK
}

// listing prints letters as they come, and counts them.
type listing struct {
	call    call
	limit   int
	printed int
	total   int
	counts  map[string]tally // by role and reason
}

func (l *listing) add(role pipeline.Role, found deadletter.Found) {
	if l.total++; l.limit == 0 || l.printed < l.limit {
		if l.printed++; l.printed == 1 {
			say(l.call.stdout, "%s", letterHead)
		}
		say(l.call.stdout, "%s", letterLine(role, found))
	}
	kind := string(role) + " " + plain(found.Reason)
	l.counts[kind] = l.counts[kind].plus(found)
}

func (l *listing) sum() {
	if l.printed < l.total {
		say(l.call.stdout, "... and %d more: -limit 0 prints them\n", l.total-l.printed)
	}
	say(l.call.stdout, "dead letters: %d\n", l.total)
	for _, kind := range slices.Sorted(maps.Keys(l.counts)) {
		say(l.call.stdout, "  %s: %d, sent again: %d\n", kind, l.counts[kind].letters, l.counts[kind].sent)
	}
}

// tally counts letters, and those that were sent to their role once more.
type tally struct{ letters, sent int }

func (t tally) plus(found deadletter.Found) tally {
	t.letters++
	if found.Sent > 0 {
		t.sent++
	}
	return t
}

// deadletterShow prints one letter. Its body is somebody's personal data, and printed on demand only.
func deadletterShow(ctx context.Context, c call) int {
	o := newConfigOptions(c)
	body := o.set.Bool("body", false, "print the record's body too, byte for byte: names, addresses, phone numbers")
	if code, ok := o.parse(c); !ok {
		return code
	}
	if o.set.NArg() != 1 {
		return misused(c, errors.New("name one letter, role/partition/offset, as list prints it"))
	}
	name, err := parseLetter(o.set.Arg(0))
	if err != nil {
		return misused(c, err)
	}
	loaded, ok := o.load(c)
	if !ok {
		return exitUsage
	}
	cluster, err := askedCluster(loaded.Config)
	if err != nil {
		return misused(c, err)
	}
	topics := lettersOf(loaded.Config, name.role)
	stored, err := kafka.ReadRecord(ctx, cluster, topics.Letters, name.place.Partition, name.place.Offset)
	if err != nil {
		return failed(c, loaded.Config, err)
	}
	letter := deadletter.Read(stored)
	say(c.stdout, "letter:   %s, in %s\n", name, topics.Letters)
	say(c.stdout, "record:   %s/%d/%d of %s\n", plain(letter.Record.Topic), letter.Record.Partition, letter.Record.Offset, letter.Record.Time.Format(time.RFC3339Nano))
	say(c.stdout, "key:      %s\n", plain(string(letter.Record.Key)))
	say(c.stdout, "reason:   %s\ncause:    %s\n", plain(letter.Reason), plain(letter.Error))
	say(c.stdout, "attempts: %d, first %s, last %s\n", letter.Attempts, letter.First.Format(time.RFC3339Nano), letter.Last.Format(time.RFC3339Nano))
	say(c.stdout, "headers of the record:\n")
	for _, h := range letter.Record.Headers {
		say(c.stdout, "  %s: %s\n", plain(h.Key), headerValue(h.Value))
	}
	if !*body {
		say(c.stdout, "body:     %d bytes; -body prints them\n", len(letter.Record.Value))
		return exitOK
	}
	say(c.stdout, "body:\n")
	_, _ = c.stdout.Write(letter.Record.Value)
	say(c.stdout, "\n")
	return exitOK
}

func headerValue(value []byte) string {
	if !utf8.Valid(value) {
		return fmt.Sprintf("%d bytes that are no text", len(value))
	}
	return plain(string(value))
}
