import { Component } from '@angular/core';

@Component({ template: '<h1>About</h1>' })
export class About {}
