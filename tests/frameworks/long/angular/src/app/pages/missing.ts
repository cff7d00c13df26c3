import { Component, RESPONSE_INIT, inject } from '@angular/core';

@Component({ selector: 'app-missing', template: '<h1>404: no such note</h1>' })
export class Missing {
  constructor() {
    const response = inject(RESPONSE_INIT, { optional: true });
    if (response) {
      response.status = 404;
    }
  }
}
