import { AngularNodeAppEngine, createNodeRequestHandler, isMainModule, writeResponseToNodeResponse } from '@angular/ssr/node';
import express from 'express';
import { join } from 'node:path';
import { notes } from './notes';

const browserDistFolder = join(import.meta.dirname, '../browser');

const app = express();
const angularApp = new AngularNodeAppEngine();

app.get('/api/notes', (req, res) => {
  res.json(notes);
});
app.get('/api/notes/:slug', (req, res) => {
  const note = notes.find(({ slug }) => slug === req.params.slug);
  res.status(note === undefined ? 404 : 200).json(note ?? { error: 'no such note' });
});
app.get('/api/greeting', (req, res) => {
  res.json({ greeting: process.env['GREETING'] });
});
app.post('/api/say', express.json(), (req, res) => {
  res.cookie('said', req.body.text, { sameSite: 'lax' });
  res.json({ said: req.body.text });
});
app.get('/broken', () => {
  throw new Error('the shelf is empty');
});

/**
 * Serve static files from /browser
 */
app.use(
  express.static(browserDistFolder, {
    maxAge: '1y',
    index: false,
    redirect: false,
  }),
);

/**
 * Handle all other requests by rendering the Angular application.
 */
app.use((req, res, next) => {
  angularApp
    .handle(req)
    .then((response) => (response ? writeResponseToNodeResponse(response, res) : next()))
    .catch(next);
});

/**
 * Start the server if this module is the main entry point, or it is ran via PM2.
 * The server listens on the port defined by the `PORT` environment variable, or defaults to 4000.
 */
if (isMainModule(import.meta.url) || process.env['pm_id']) {
  const port = process.env['PORT'] || 4000;
  app.listen(port, (error) => {
    if (error) {
      throw error;
    }

    console.log(`Node Express server listening on http://localhost:${port}`);
  });
}

/**
 * Request handler used by the Angular CLI (for dev-server and during build) or Firebase Cloud Functions.
 */
export const reqHandler = createNodeRequestHandler(app);
