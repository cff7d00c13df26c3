import moment from "moment-timezone";

export default () => [
  moment.tz("2024-03-31 01:30", "Europe/Berlin").add(1, "h").format(),
  moment.utc(0).tz("Asia/Kathmandu").format("LLL z"),
  moment.tz.zone("America/Sao_Paulo").abbr(0),
  moment.tz.names().length > 400,
];
