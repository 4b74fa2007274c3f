package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/heartbeat"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// membership is a process's membership in a generation of a group, for consumers that commit to groups without members: brokers
// don't check that they still own their partitions, so they check it themselves.
type membership struct {
	pool   *conn.Pool
	member groupMember
	valid  time.Duration // how long a check counts

	mutex   sync.Mutex
	checked time.Time
	failed  time.Time
	err     error // of the check that failed
}

// checkAgain is how long a failed check counts, so that many consumers don't wait for it one after the other.
const checkAgain = time.Second

// check returns errNotOwner if another member may own the partitions. It asks the coordinator if the last check is too old.
func (m *membership) check(ctx context.Context) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	began := time.Now()
	if began.Sub(m.checked) < m.valid {
		return nil
	}
	if began.Sub(m.failed) < checkAgain {
		return m.err
	}
	if m.err = checkMembership(ctx, m.pool, m.member); m.err != nil {
		m.failed = time.Now()
		return m.err
	}
	m.checked = began
	return nil
}

// checkMembership sends a heartbeat. It returns errNotOwner if the group has removed the member or is in another generation.
func checkMembership(ctx context.Context, pool *conn.Pool, member groupMember) error {
	request := &heartbeat.Request{GroupID: member.group, GenerationID: member.generation, MemberID: member.member}
	answer, err := pool.SendToCoordinator(ctx, conn.GroupKey(member.group), request)
	if err != nil {
		return err
	}
	response, ok := answer.(*heartbeat.Response)
	if !ok {
		return fmt.Errorf("heartbeat: %w", conn.ErrUnexpectedResponse)
	}
	switch code := kafka.Error(response.ErrorCode); {
	case code == 0, code == kafka.RebalanceInProgress:
		return nil
	case conn.CoordinatorMoved(code):
		pool.ForgetCoordinator(conn.GroupKey(member.group))
		return code
	default:
		return fmt.Errorf("%w: %w", errNotOwner, code)
	}
}
