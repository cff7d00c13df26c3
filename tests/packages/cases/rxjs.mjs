import {
  catchError,
  debounceTime,
  delay,
  firstValueFrom,
  from,
  interval,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  of,
  reduce,
  scan,
  Subject,
  switchMap,
  take,
  throwError,
  toArray,
} from "rxjs";

export default async function () {
  const subject = new Subject();
  const last = firstValueFrom(subject.pipe(debounceTime(5)));
  subject.next(1);
  subject.next(2);
  return [
    await lastValueFrom(
      from([1, 2, 3]).pipe(
        mergeMap((n) => of(n).pipe(delay(10 - n))),
        toArray(),
      ),
    ),
    await lastValueFrom(
      interval(1).pipe(
        take(3),
        scan((sum, n) => sum + n, 0),
        toArray(),
      ),
    ),
    await lastValueFrom(
      merge(
        of("a"),
        throwError(() => new Error("no")),
      ).pipe(
        catchError(({ message }) => of(message)),
        toArray(),
      ),
    ),
    await lastValueFrom(
      of(1, 2).pipe(
        switchMap(async (n) => n * 2),
        reduce((a, b) => a + b),
        map(String),
      ),
    ),
    await last,
  ];
}
