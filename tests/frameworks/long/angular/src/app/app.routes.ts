import { Routes } from '@angular/router';
import { About } from './pages/about';
import { Home } from './pages/home';
import { Missing } from './pages/missing';

export const routes: Routes = [
  { path: '', component: Home, title: 'Notes' },
  { path: 'about', component: About, title: 'About' },
  { path: 'notes/:slug', loadComponent: () => import('./pages/note').then((page) => page.NotePage) },
  { path: '**', component: Missing, title: 'Missing' },
];
