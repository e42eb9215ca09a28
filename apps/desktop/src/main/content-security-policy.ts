/**
 * The page's Content-Security-Policy in the desktop app. Scripts only from the app's own files, no eval, no remote anything:
 * the page talks to engine-host over a MessagePort, which needs no `connect-src`. Images may be blobs (drawn pages) and
 * `data:`. React sets styles
 * through CSSOM, which CSP does not restrict.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-src 'none'",
  "frame-ancestors 'none'",
].join("; ");
