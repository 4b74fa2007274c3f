package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// readEvery is how old the state of the pipeline may be: many may look at it at the same time.
const readEvery = 2 * time.Second

// askWithin limits how long the brokers are asked.
const askWithin = 10 * time.Second

// lags reads the state of topics and groups.
type lags struct {
	now func() time.Time

	mutex  sync.Mutex
	last   Pipeline
	asking *asking // nil if nobody asks the brokers now
	closed bool

	// What follows is of the goroutine that asks the brokers.
	reader *admin.LagReader
	// members and rebalances are those of each group.
	members    map[string]string
	rebalances map[string]int
}

// asking is a reading that runs, for all who wait for it. Its result is known when done is closed.
type asking struct {
	done   chan struct{}
	cancel context.CancelFunc
	found  Pipeline
	err    error
}

// close ends the reading that runs. There is none afterwards.
func (l *lags) close() {
	l.mutex.Lock()
	l.closed = true
	running := l.asking
	l.mutex.Unlock()
	if running != nil {
		running.cancel()
		<-running.done
	}
	if l.reader != nil {
		l.reader.Close()
		l.reader = nil
	}
}

// Pipeline returns the state of topics and groups, at most two seconds old.
func (s *Service) Pipeline(ctx context.Context) (Pipeline, error) {
	last, running := s.ask()
	if running == nil {
		return s.withReading(last), nil
	}
	select {
	case <-running.done:
		return s.withReading(running.found), unreached("read topics and groups", running.err)
	case <-ctx.Done():
		return Pipeline{}, unreached("read topics and groups", ctx.Err())
	}
}

// withReading adds how far the console has read the topics, and which of them it can't read.
func (s *Service) withReading(p Pipeline) Pipeline {
	p.Reading, p.Topics = s.reading(), slices.Clone(p.Topics)
	failed := s.cfg.Model.Progress().Topic
	for i := range p.Topics {
		if p.Topics[i].Name == failed {
			p.Topics[i].Unshown = p.Reading.Trouble
		}
	}
	return p
}

// ask returns the state of the pipeline, or the reading of it that runs, which it begins if none does.
func (s *Service) ask() (Pipeline, *asking) {
	l := &s.jobs.lags
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if age := l.now().Sub(l.last.At); !l.last.At.IsZero() && age >= 0 && age < readEvery {
		return l.last, nil
	}
	if l.closed {
		ended := &asking{done: make(chan struct{}), err: errors.New("the console stops")}
		close(ended.done)
		return Pipeline{}, ended
	}
	if l.asking == nil {
		ctx, cancel := context.WithTimeout(context.Background(), askWithin)
		l.asking = &asking{done: make(chan struct{}), cancel: cancel}
		go s.answer(ctx, l.asking, l.last)
	}
	return Pipeline{}, l.asking
}

// answer asks the brokers, for all who wait.
func (s *Service) answer(ctx context.Context, a *asking, before Pipeline) {
	defer a.cancel()
	l := &s.jobs.lags
	found, err := s.readPipeline(ctx, l)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if a.err = err; err == nil {
		rates(&found, before)
		a.found, l.last = found, found
	}
	l.asking = nil
	close(a.done)
}

// readPipeline asks the brokers.
func (s *Service) readPipeline(ctx context.Context, l *lags) (p Pipeline, err error) {
	if err := s.reach(ctx); err != nil {
		return p, err
	}
	if l.reader == nil {
		if l.reader, err = admin.NewLagReader(s.cfg.Cluster, l.now); err != nil {
			return p, err
		}
		l.members, l.rebalances = map[string]string{}, map[string]int{}
	}
	p = Pipeline{At: l.now(), Groups: []Group{}, Topics: []Topic{}}
	for _, group := range s.cfg.Groups {
		found, err := l.group(ctx, group)
		if found.Error, err = s.fault(ctx, err); err != nil {
			return p, err
		}
		p.Groups = append(p.Groups, found)
	}
	for _, spec := range s.cfg.Specs {
		topic, err := s.topic(ctx, spec)
		if topic.Error, err = s.fault(ctx, err); err != nil {
			return p, err
		}
		p.Topics = append(p.Topics, topic)
	}
	return p, nil
}

// fault returns the words of an error that concerns one group or topic. When the time is over, it returns the error.
func (s *Service) fault(ctx context.Context, err error) (string, error) {
	if err == nil || ctx.Err() != nil {
		return "", err
	}
	return mask.Text(err.Error()), nil
}

// group reads the state of a group.
func (l *lags) group(ctx context.Context, of topology.Group) (Group, error) {
	g := Group{Name: of.Name, Role: string(of.Role), Store: storeOfGroup(of), Members: []GroupMember{}, Partitions: []Partition{}}
	partitions, err := l.reader.Partitions(ctx, of.Topics...)
	if err != nil {
		return g, err
	}
	found, err := l.reader.Read(ctx, admin.LagQuery{Group: of.Name, Membership: of.Membership, Partitions: partitions})
	if err != nil {
		return g, err
	}
	if err := l.reader.Members(ctx, found); err != nil {
		return g, err
	}
	for _, lag := range found {
		g.Records += lag.Records
		g.LagSeconds = max(g.LagSeconds, lag.Age.Seconds())
		if lag.Member == "" {
			g.Unowned++
		}
		g.Partitions = append(g.Partitions, Partition{
			Topic: lag.Topic, Partition: lag.Partition, Committed: lag.Committed, End: lag.End, Records: lag.Records, LagSeconds: lag.Age.Seconds(), Member: lag.Member,
		})
	}
	return g, l.addMembers(ctx, of, &g)
}

// addMembers adds the members of a group, and counts when they are others than before.
func (l *lags) addMembers(ctx context.Context, of topology.Group, g *Group) error {
	members, err := l.reader.GroupMembers(ctx, cmp.Or(of.Membership, of.Name))
	if err != nil {
		return err
	}
	var ids []string
	for _, m := range members {
		g.Members = append(g.Members, GroupMember{ID: m.ID, Host: m.Host, Version: m.Info.Version, Started: m.Info.Started})
		ids = append(ids, m.ID)
	}
	now := strings.Join(ids, "\n")
	if before, known := l.members[g.Name]; known && before != now {
		l.rebalances[g.Name]++
	}
	l.members[g.Name], g.Rebalances = now, l.rebalances[g.Name]
	return nil
}

// storeOfGroup returns the store of a group that has one of its own.
func storeOfGroup(of topology.Group) string {
	if store, own := strings.CutPrefix(of.Name, of.Membership+"."); own && of.Membership != "" {
		return store
	}
	return ""
}

// topic reads the offsets of a topic.
func (s *Service) topic(ctx context.Context, spec admin.TopicSpec) (Topic, error) {
	t := Topic{Name: spec.Name, Policy: spec.Configs["cleanup.policy"]}
	if kept, err := time.ParseDuration(spec.Configs["retention.ms"] + "ms"); err == nil && kept > 0 {
		t.Retention = fmt.Sprintf("%.0f days", kept.Hours()/24)
	}
	reader, err := kafka.NewTopicReader(s.cfg.Cluster, spec.Name)
	if err != nil {
		return t, err
	}
	defer reader.Close()
	partitions, err := reader.Partitions(ctx)
	if err != nil {
		return t, err
	}
	ranges, err := reader.OffsetRanges(ctx, partitions...)
	if err != nil {
		return t, err
	}
	t.Partitions = len(partitions)
	for _, r := range ranges {
		t.First, t.End = t.First+r.First, t.End+r.End
	}
	t.Records = t.End - t.First
	return t, nil
}

// rates sets what was written and processed in a second since the reading before.
func rates(next *Pipeline, before Pipeline) {
	seconds := next.At.Sub(before.At).Seconds()
	if before.At.IsZero() || seconds <= 0 {
		return
	}
	for i := range next.Topics {
		t := &next.Topics[i]
		if at := slices.IndexFunc(before.Topics, func(b Topic) bool { return b.Name == t.Name }); at >= 0 {
			t.PerSecond = float64(max(0, t.End-before.Topics[at].End)) / seconds
		}
	}
	for i := range next.Groups {
		g := &next.Groups[i]
		if at := slices.IndexFunc(before.Groups, func(b Group) bool { return b.Name == g.Name }); at >= 0 {
			g.PerSecond = float64(max(0, committed(*g)-committed(before.Groups[at]))) / seconds
		}
	}
}

// committed returns the sum of the committed offsets of a group.
func committed(g Group) (sum int64) {
	for _, p := range g.Partitions {
		sum += max(0, p.Committed)
	}
	return sum
}
