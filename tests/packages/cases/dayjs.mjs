import dayjs from "dayjs";
import "dayjs/locale/de.js";
import relativeTime from "dayjs/plugin/relativeTime.js";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";

export default function () {
  dayjs.extend(utc).extend(timezone);
  dayjs.extend(relativeTime);
  const at = dayjs.utc("2024-01-31T12:30:00Z");
  return [
    at.add(1, "month").toISOString(),
    at.tz("America/New_York").format("YYYY-MM-DD HH:mm Z"),
    at.locale("de").format("dddd, D. MMMM"),
    at.from(at.add(3, "day")),
    at.diff("2024-01-01", "day"),
    dayjs("x").isValid(),
  ];
}
