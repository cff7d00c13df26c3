import { DateTime, Duration, Interval, Settings } from "luxon";

export default function () {
  const at = DateTime.fromISO("2024-03-31T01:30:00", { zone: "Europe/Berlin" });
  return [
    at.plus({ hours: 1 }).toISO(),
    at.setZone("Asia/Tokyo").toFormat("yyyy-MM-dd HH:mm ZZZZ"),
    at.setLocale("de").toLocaleString(DateTime.DATE_FULL),
    Duration.fromObject({ minutes: 90 }).shiftTo("hours", "minutes").toObject(),
    Interval.after(at, { days: 2 }).length("hours"),
    DateTime.fromFormat("x", "yyyy").invalidReason,
    at.toRelative({ base: at.minus({ days: 2 }) }),
    typeof Settings.now(),
  ];
}
