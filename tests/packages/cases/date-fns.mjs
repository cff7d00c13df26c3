import { addMonths, differenceInCalendarDays, eachDayOfInterval, format, formatDistance, isValid, parse, parseISO } from "date-fns";
import { de, ja } from "date-fns/locale";

export default function () {
  const at = parseISO("2024-01-31T12:30:00Z");
  return [
    format(at, "yyyy-MM-dd EEEE do", { locale: de }),
    format(at, "PPPP", { locale: ja }),
    addMonths(at, 1).toISOString(),
    differenceInCalendarDays(parseISO("2024-03-01"), at),
    formatDistance(0, 7_200_000),
    parse("5. Mai 2020", "d. MMMM yyyy", new Date(0), { locale: de }).getDate(),
    isValid(new Date(NaN)),
    eachDayOfInterval({ start: at, end: addMonths(at, 0) }).length,
  ];
}
