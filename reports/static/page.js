// Tables that sort and filter, the theme switch, and what printing needs. Texts are only ever set as text.
(function () {
  'use strict';
  const root = document.documentElement;
  const words = JSON.parse(document.getElementById('data').textContent).words;
  const make = (tag, text) => { const node = document.createElement(tag); node.textContent = text || ''; return node; };

  const theme = document.getElementById('theme');
  theme.hidden = false;
  theme.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    document.dispatchEvent(new Event('themechange'));
  });

  const value = (row, index) => {
    const cell = row.cells[index];
    return cell ? cell.dataset.value || cell.textContent.trim() : '';
  };
  const numeric = text => (text === '' ? -Infinity : Number(text.replaceAll(words.thousands, '').replace(words.decimal, '.')));

  for (const table of document.querySelectorAll('table.data')) {
    const body = table.tBodies[0];
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, index) => {
      const button = make('button', head.textContent);
      button.type = 'button';
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') === 'ascending';
        heads.forEach(other => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const number = head.classList.contains('n');
        const compare = (a, b) => (number ? numeric(value(a, index)) - numeric(value(b, index))
          : value(a, index).localeCompare(value(b, index), root.lang, { numeric: true }));
        body.append(...Array.from(body.rows).sort((a, b) => (down ? -compare(a, b) : compare(a, b))));
      });
    });
    const line = make('div');
    line.className = 'tablefilter';
    const input = make('input');
    input.type = 'search';
    input.placeholder = table.dataset.filter;
    input.setAttribute('aria-label', table.dataset.filter);
    const shown = make('span');
    line.append(input, shown);
    table.parentNode.before(line);
    input.addEventListener('input', () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every(word => text.includes(word));
        count += !row.hidden;
      }
      shown.textContent = wanted.length ? `${count} / ${body.rows.length}` : '';
    });
  }

  for (const block of document.querySelectorAll('.suggest')) {
    const button = make('button', words.copy);
    button.type = 'button';
    button.addEventListener('click', () => {
      const selection = getSelection();
      selection.selectAllChildren(block.querySelector('pre'));
      document.execCommand('copy');
      selection.removeAllRanges();
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy; }, 1500);
    });
    block.append(button);
  }

  const open = () => {
    const target = location.hash.startsWith('#f-') && document.getElementById(location.hash.slice(1));
    if (target) target.open = true;
  };
  addEventListener('hashchange', open);
  open();
  addEventListener('beforeprint', () => {
    for (const finding of document.querySelectorAll('details')) finding.open = true;
  });
}());
