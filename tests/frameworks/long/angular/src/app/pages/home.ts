import { HttpClient, httpResource } from '@angular/common/http';
import { Component, DOCUMENT, REQUEST, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { Note } from '../../notes';

@Component({
  imports: [RouterLink],
  template: `
    <main>
      <h1>Notes</h1>
      <p id="greeting">{{ greeting.value()?.greeting }}</p>
      <ul>
        @for (note of notes.value(); track note.slug) {
          <li>
            <a [routerLink]="['/notes', note.slug]">{{ note.title }}</a>
          </li>
        }
      </ul>
      <form (submit)="say($event)">
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      @if (said()) {
        <output>{{ said() }}</output>
      }
      <button id="count" type="button" (click)="increase()">{{ count() }}</button>
    </main>
  `,
})
export class Home {
  private readonly http = inject(HttpClient);
  protected readonly notes = httpResource<Note[]>(() => '/api/notes');
  protected readonly greeting = httpResource<{ greeting?: string }>(() => '/api/greeting');
  protected readonly count = signal(0);
  protected readonly said = signal(readCookie(inject(REQUEST, { optional: true }), inject(DOCUMENT)));

  protected increase() {
    this.count.update((count) => count + 1);
  }

  protected say(event: SubmitEvent) {
    event.preventDefault();
    const text = new FormData(event.target as HTMLFormElement).get('text');
    this.http.post<{ said: string }>('/api/say', { text }).subscribe(({ said }) => this.said.set(said));
  }
}

function readCookie(request: Request | null, document: Document) {
  const cookies = (request === null ? document.cookie : request.headers.get('cookie')) ?? '';
  const [, said] = /(?:^|; )said=([^;]*)/.exec(cookies) ?? [];
  return said && decodeURIComponent(said);
}
