package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
)

// letterOptions are the flags and arguments that choose dead letters.
type letterOptions struct {
	*options
	role, since, until string
	filter             deadletter.Filter
}

// letterName names one dead letter, as in tracking/3/17.
type letterName struct {
	role  pipeline.Role
	place deadletter.Place
}

func (n letterName) String() string { return string(n.role) + "/" + n.place.String() }

func newLetterOptions(c call) *letterOptions {
	o := &letterOptions{options: newConfigOptions(c)}
	o.set.StringVar(&o.role, "role", "", "only letters of this `role`: transformer, tracking, sms")
	o.set.StringVar(&o.filter.Store, "store", "", "only letters of this `store`")
	o.set.StringVar(&o.filter.Reason, "reason", "", "only letters with this `reason`, as in refused")
	o.set.StringVar(&o.filter.Key, "key", "", "only letters of records with this `key`, as in acme/246936001")
	o.set.StringVar(&o.since, "since", "", "only letters written at this `time` or later: 2026-03-01, 2026-03-01T10:00:00Z, or so long ago: 90m, 36h, 7d")
	o.set.StringVar(&o.until, "until", "", "only letters written before this `time`")
	return o
}

// roles are those whose letters are asked for.
func (o *letterOptions) roles() ([]pipeline.Role, error) {
	all := deadRoles()
	if o.role == "" {
		return all, nil
	}
	if !slices.Contains(all, pipeline.Role(o.role)) {
		return nil, fmt.Errorf("role %q has no dead letters; roles are %s", o.role, joinRoles(all))
	}
	return []pipeline.Role{pipeline.Role(o.role)}, nil
}

// deadRoles are the roles that reject records. The gateway keeps nothing back.
func deadRoles() []pipeline.Role {
	return slices.DeleteFunc(pipeline.Roles(), func(r pipeline.Role) bool { return r == pipeline.RoleGateway })
}

// times reads -since and -until.
func (o *letterOptions) times(now time.Time) (err error) {
	if o.filter.Since, err = parseTime("since", o.since, now); err != nil {
		return err
	}
	o.filter.Until, err = parseTime("until", o.until, now)
	return err
}

// parseTime reads a point in time or how long it is ago; the zero time for "".
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("-%s %q is no time: 2026-03-01, 2026-03-01T10:00:00Z, or so long ago: 90m, 36h, 7d", flag, text)
}

// parseLetter reads a letter's name.
func parseLetter(text string) (letterName, error) {
	role, rest, _ := strings.Cut(text, "/")
	place, err := deadletter.ParsePlace(rest)
	if err != nil || !slices.Contains(deadRoles(), pipeline.Role(role)) {
		return letterName{}, fmt.Errorf("%q names no dead letter: role/partition/offset, as in tracking/3/17", text)
	}
	return letterName{role: pipeline.Role(role), place: place}, nil
}

func lettersOf(cfg config.Config, role pipeline.Role) deadletter.Topics {
	topics := pipeline.Topics{Prefix: cfg.Kafka.TopicPrefix}
	return deadletter.Topics{Letters: topics.DeadLetters(role), Redrive: topics.Redrive(role)}
}

// letterLine is a letter in one line, letterHead the line above.
const letterHead = "LETTER                WRITTEN               STORE         KEY                       REASON               TRIES  SENT  CAUSE\n"

func letterLine(role pipeline.Role, found deadletter.Found) string {
	return fmt.Sprintf("%-21s %-21s %-13s %-25s %-20s %5d %5d  %s\n",
		letterName{role, found.Place}, found.Stored.Time.UTC().Format(time.RFC3339),
		plain(found.Store()), plain(string(found.Stored.Key)), plain(found.Reason), found.Attempts, found.Sent, shortened(plain(found.Error)))
}

// plain keeps what a terminal could take for a command out of it, and a line one line.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

func shortened(text string) string {
	const most = 80
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}
