/** The page of a webview: its script and styles, and nothing else may load or run. Pure. */

export interface PageParts {
  readonly title: string;
  /** The webview's `cspSource`. */
  readonly source: string;
  /** Addresses as the webview sees them. */
  readonly script: string;
  readonly styles: readonly string[];
  readonly nonce: string;
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

export function webviewHtml({ title, source, script, styles, nonce }: PageParts): string {
  const policy = [
    `default-src 'none'`,
    `style-src ${source}`,
    `font-src ${source}`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
${styles.map((style) => `<link rel="stylesheet" href="${escaped(style)}">`).join('\n')}
<title>${escaped(title)}</title>
</head>
<body>
<script nonce="${nonce}" src="${escaped(script)}"></script>
</body>
</html>
`;
}
