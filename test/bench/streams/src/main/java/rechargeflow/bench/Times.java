package rechargeflow.bench;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;

/** Times are nanoseconds since 1970 in UTC; 0 is none. */
final class Times {
  static final long MICROSECOND = 1_000;
  static final long SECOND = 1_000_000_000;
  static final long DAY = 86_400 * SECOND;
  private static final int DAY_LENGTH = "2006-01-02".length();
  private static final int RETRY_HOUR = 16;
  private static final ZoneId EASTERN = ZoneId.of("America/New_York");

  private Times() {}

  /** Reads a timestamp; a day alone is its midnight in US Eastern, a time without an offset is UTC. */
  static long parse(String text) {
    if (text == null || text.isEmpty()) {
      return 0;
    }
    if (text.length() == DAY_LENGTH) {
      return nanoseconds(LocalDate.parse(text).atStartOfDay(EASTERN).toInstant());
    }
    int zone = endOfClock(text);
    if (zone < text.length() && !isUTC(text, zone)) {
      return nanoseconds(OffsetDateTime.parse(text).toInstant());
    }
    LocalDate day = LocalDate.of(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10));
    long clock = number(text, 11, 13) * 3600L + number(text, 14, 16) * 60L + number(text, 17, 19);
    return day.toEpochDay() * DAY + clock * SECOND + fraction(text, zone);
  }

  /** Writes a time as Go's time.RFC3339Nano: without trailing zeros. */
  static String format(long time) {
    LocalDate day = LocalDate.ofEpochDay(Math.floorDiv(time, DAY));
    LocalTime clock = LocalTime.ofNanoOfDay(Math.floorMod(time, DAY));
    StringBuilder out = new StringBuilder(30).append(day).append('T');
    two(out, clock.getHour()).append(':');
    two(out, clock.getMinute()).append(':');
    two(out, clock.getSecond());
    if (clock.getNano() != 0) {
      String digits = Long.toString(SECOND + clock.getNano());
      int end = digits.length();
      while (digits.charAt(end - 1) == '0') {
        end--;
      }
      out.append('.').append(digits, 1, end);
    }
    return out.append('Z').toString();
  }

  /** Returns the day of a date or of a timestamp. */
  static String day(String text) {
    return text == null || text.length() < DAY_LENGTH ? null : text.substring(0, DAY_LENGTH);
  }

  /** Returns the day of US Eastern on which a time lies. */
  static String easternDay(long time) {
    return time == 0 ? null : wall(time).toLocalDate().toString();
  }

  /** Reads the time of a charge's next attempt: a day is 4 PM in US Eastern. */
  static long retry(String text) {
    long at = parse(text);
    if (at == 0) {
      return 0;
    }
    LocalDateTime wall = wall(at);
    LocalDate day = wall.toLocalDate();
    if (text.startsWith("T00:00:00", DAY_LENGTH)) {
      day = LocalDate.parse(text.substring(0, DAY_LENGTH));
    } else if (wall.getHour() != 0 || wall.getMinute() != 0) {
      return at;
    }
    return nanoseconds(day.atTime(RETRY_HOUR, 0).atZone(EASTERN).toInstant());
  }

  /** Returns the first time that is set. */
  static long first(long... times) {
    for (long time : times) {
      if (time != 0) {
        return time;
      }
    }
    return 0;
  }

  /** Returns the earlier of two times with the same wall clock in US Eastern, where an hour occurs twice in autumn. */
  static long earliest(long time) {
    LocalDateTime wall = wall(time);
    List<ZoneOffset> offsets = EASTERN.getRules().getValidOffsets(wall);
    return offsets.size() < 2 ? time : nanoseconds(wall.toInstant(offsets.get(0)));
  }

  private static LocalDateTime wall(long time) {
    return LocalDateTime.ofInstant(Instant.ofEpochSecond(Math.floorDiv(time, SECOND), Math.floorMod(time, SECOND)), EASTERN);
  }

  private static long nanoseconds(Instant instant) {
    return instant.getEpochSecond() * SECOND + instant.getNano();
  }

  private static int endOfClock(String text) {
    int at = DAY_LENGTH + 1;
    while (at < text.length() && (Character.isDigit(text.charAt(at)) || text.charAt(at) == ':' || text.charAt(at) == '.')) {
      at++;
    }
    return at;
  }

  private static boolean isUTC(String text, int zone) {
    return text.startsWith("Z", zone) || text.startsWith("+00:00", zone);
  }

  private static int number(String text, int from, int till) {
    return Integer.parseInt(text, from, till, 10);
  }

  private static long fraction(String text, int end) {
    long value = 0;
    long unit = SECOND / 10;
    for (int at = "2006-01-02T15:04:05.".length(); at < end; at++, unit /= 10) {
      value += (text.charAt(at) - '0') * unit;
    }
    return value;
  }

  private static StringBuilder two(StringBuilder out, int number) {
    return number < 10 ? out.append('0').append(number) : out.append(number);
  }
}
