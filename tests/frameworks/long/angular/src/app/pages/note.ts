import { httpResource } from '@angular/common/http';
import { Component, input } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { Note } from '../../notes';
import { Missing } from './missing';

@Component({
  imports: [Missing, RouterLink],
  template: `
    @if (note.error()) {
      <app-missing />
    } @else if (note.value(); as note) {
      <main>
        <h1>{{ note.title }}</h1>
        <p>{{ note.text }}</p>
        <a routerLink="/">Back</a>
      </main>
    }
  `,
})
export class NotePage {
  readonly slug = input.required<string>();
  protected readonly note = httpResource<Note>(() => `/api/notes/${this.slug()}`);
}
