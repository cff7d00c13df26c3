import moment from "moment";
import "moment/locale/de.js";

export default function () {
  moment.locale("en");
  const at = moment.utc("2024-01-31T12:30:00Z");
  return [
    at.clone().add(1, "month").toISOString(),
    at.clone().locale("de").format("LLLL"),
    at.from(moment.utc("2024-02-02")),
    moment.duration(5400, "s").humanize(),
    moment.utc("31/12/2020", "DD/MM/YYYY", true).isValid(),
    at.clone().endOf("month").format(),
  ];
}
