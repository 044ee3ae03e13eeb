// The communication map. Places come from the report; this draws, filters and explains. Texts are only set as text.
(function () {
  'use strict';
  const data = JSON.parse(document.getElementById('data').textContent);
  const canvas = document.getElementById('canvas');
  const shell = document.getElementById('shell');
  const stage = document.getElementById('stage');
  const panel = document.getElementById('panel');
  const form = document.getElementById('filters');
  const printed = document.getElementById('print-map');
  const byId = new Map(data.lines.map(line => [line.id, line]));
  const haystacks = new Map(data.lines.map(line => [line.id, JSON.stringify([line.links, line.protocols]).toLowerCase()]));
  const nodeTexts = new Map(data.nodes.map(node =>
    [node.id, (node.label + JSON.stringify(data.assets[node.id] || '')).toLowerCase()]));

  // --- drawing ---
  const dark = () => (document.documentElement.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const fonts = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  const dashes = { violation: [9, 4], unzoned: [2, 3], cannot_conclude: [14, 3, 3, 3] };

  function style(colours) {
    const lines = ['violation', 'unzoned', 'cannot_conclude', 'allowed'].map(verdict => ({
      selector: `edge.ot[verdict = "${verdict}"]`,
      style: {
        'line-color': colours[verdict], 'target-arrow-color': colours[verdict],
        ...(dashes[verdict] ? { 'line-style': 'dashed', 'line-dash-pattern': dashes[verdict] } : {}),
        'z-index': verdict === 'allowed' ? 2 : 5,
        ...(verdict === 'allowed' ? { opacity: 0.75 } : { 'min-zoomed-font-size': 0 }),
      },
    }));
    return [
      { selector: 'node', style: {
        shape: 'round-rectangle', width: 'data(w)', height: 'data(h)', label: 'data(label)', color: colours.ink,
        'background-color': colours.zone, 'border-width': 1.2, 'border-color': colours.muted,
        'text-wrap': 'wrap', 'text-valign': 'center', 'text-halign': 'center',
        'font-family': fonts, 'font-size': 13, 'line-height': 1.25, 'z-index': 10,
      } },
      { selector: 'node.band', style: {
        shape: 'rectangle', 'background-color': colours.band, 'border-width': 0, label: '', events: 'no',
        'z-compound-depth': 'bottom', 'z-index': 0,
      } },
      { selector: 'node.level', style: {
        'background-opacity': 0, 'border-width': 0, width: 110, height: 50, color: colours.muted, 'font-size': 17,
        'text-wrap': 'wrap', events: 'no', 'z-compound-depth': 'bottom', 'z-index': 1,
      } },
      { selector: 'node.zone', style: {
        shape: 'round-rectangle', 'background-color': colours.surface, 'background-opacity': 1, 'border-width': 1.2,
        'border-color': colours.rule, padding: 16, label: '', 'compound-sizing-wrt-labels': 'exclude', 'z-index': 1,
        events: 'no',
      } },
      { selector: 'node.title', style: {
        'background-opacity': 0, 'border-width': 0, 'text-halign': 'right', 'font-size': 15, 'font-weight': 600,
        'z-index': 2, events: 'no',
      } },
      { selector: 'node.it, node.unknown', style: { 'border-color': colours.other } },
      { selector: 'node.external', style: { shape: 'cut-rectangle', 'border-color': colours.unzoned } },
      { selector: 'node.cast', style: { shape: 'rectangle', 'border-style': 'dotted', color: colours.muted } },
      { selector: 'node.group', style: { 'border-style': 'double', 'border-width': 4 } },
      { selector: 'node.grave', style: { 'border-color': colours.violation, 'border-width': 2.4, 'border-style': 'solid' } },
      { selector: 'node.long', style: { 'font-size': 10.5 } },
      { selector: 'edge', style: {
        width: 1, 'curve-style': 'bezier', 'line-color': colours.other, 'target-arrow-color': colours.other,
        'target-arrow-shape': 'triangle', 'arrow-scale': 0.8, opacity: 0.65, 'z-index': 1,
      } },
      { selector: 'edge[bend > 0]', style: {
        'curve-style': 'unbundled-bezier', 'control-point-distances': 'data(bend)', 'control-point-weights': 0.5,
      } },
      { selector: 'edge.ot', style: {
        width: 'data(width)', 'line-color': colours.accent, 'target-arrow-color': colours.accent, opacity: 0.95,
      } },
      ...lines,
      ...['violation', 'unzoned', 'cannot_conclude'].map(verdict => ({
        selector: `edge.plain[verdict = "${verdict}"]`,
        style: { width: 1.3, 'line-color': colours[verdict], 'target-arrow-color': colours[verdict], 'line-style': 'dashed', 'line-dash-pattern': dashes[verdict], opacity: 0.6 },
      })),
      { selector: '.faded', style: { opacity: 0.12 } },
      { selector: 'node.faded', style: { opacity: 0.3 } },
      { selector: '.hidden', style: { display: 'none' } },
      { selector: 'edge.way', style: { width: 5, opacity: 1, 'line-color': colours.critical, 'target-arrow-color': colours.critical, 'z-index': 28 } },
      { selector: 'node.way', style: { 'border-color': colours.critical, 'border-width': 3, 'border-style': 'solid' } },
      { selector: 'node.close', style: { 'border-style': 'double', 'border-width': 7 } },
      { selector: 'edge.picked', style: { width: 6, opacity: 1, 'z-index': 30 } },
      { selector: 'node.picked', style: { 'border-color': colours.accent, 'border-width': 3.5, 'border-style': 'solid' } },
    ];
  }

  const elements = [];
  data.bands.forEach((band, index) => {
    elements.push({ group: 'nodes', classes: 'band', data: { id: `b${index}`, w: band.w, h: band.h, label: '' }, position: { x: band.x, y: band.y } });
    elements.push({ group: 'nodes', classes: 'level', data: { id: `l${index}`, w: 1, h: 1, label: band.label }, position: { x: band.x - band.w / 2 + 78, y: band.y } });
  });
  data.zones.forEach(zone => {
    elements.push({ group: 'nodes', classes: 'zone', data: { id: zone.id, label: '', w: 1, h: 1 } });
    elements.push({ group: 'nodes', classes: 'title', position: { x: zone.x - zone.w / 2, y: zone.y }, data: { id: `t${zone.id}`, parent: zone.id, label: zone.label, w: 1, h: zone.h } });
    elements.push({ group: 'nodes', classes: 'title', position: { x: zone.x, y: zone.y }, data: { id: `s${zone.id}`, parent: zone.id, label: '', w: zone.w, h: zone.h } });
  });
  data.nodes.forEach(node => elements.push({
    group: 'nodes', classes: node.kind + (node.grave ? ' grave' : '') + (node.label.split('\n').some(text => text.length > 14) ? ' long' : ''), position: { x: node.x, y: node.y },
    data: { id: node.id, parent: node.zone, label: node.label.trim(), w: node.w, h: node.h },
  }));
  data.lines.forEach(line => elements.push({
    group: 'edges', classes: line.ot ? 'ot' : 'plain',
    data: { id: line.id, source: line.source, target: line.target, verdict: line.verdict, width: line.width, bend: line.bend },
  }));

  const cy = cytoscape({
    container: canvas, elements, style: style(data.palettes[dark() ? 'dark' : 'light']), layout: { name: 'preset' },
    autoungrabify: true, autounselectify: true, boxSelectionEnabled: false, minZoom: 0.08, maxZoom: 3,
  });
  let fitted = true; // until somebody moves the view
  const resized = () => { cy.resize(); if (fitted) cy.fit(undefined, 14); };
  const fit = () => { fitted = true; resized(); };
  fit();
  new ResizeObserver(resized).observe(canvas);
  cy.on('scrollzoom dragpan pinchzoom', () => { fitted = false; });
  form.hidden = false;
  const repaint = () => cy.style(style(data.palettes[dark() ? 'dark' : 'light']));
  document.addEventListener('themechange', repaint);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);

  // --- the panel ---
  const el = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    if (name) node.className = name;
    return node;
  };
  const block = (...children) => { const node = el('div', '', 'block'); node.append(...children.filter(Boolean)); return node; };
  const line = (text, name) => (text ? el('p', text, name) : null);
  const verdict = row => el('p', `${row.word}${row.why ? ` (${row.why})` : ''}`, `v-${row.verdict}`);

  function describeLine(drawn) {
    const parts = [];
    drawn.links.forEach(link => {
      parts.push(el('h3', `${link.client} → ${link.server}`), line(`${link.protocol} · ${link.port} · ${link.addresses}`, 'sub'));
      parts.push(line(link.volume), line(link.time, 'sub'), line(link.state, 'sub'), line(link.frames, 'mono'));
      link.verdicts.forEach(row => parts.push(verdict(row)));
      link.functions.forEach(called => parts.push(block(
        el('b', called.name), line(called.summary, 'sub'),
        ...called.verdicts.map(verdict), line(called.targets.join(', ')), line(called.statuses.join(', '), 'sub'), line(called.frames, 'mono'),
      )));
      parts.push(line(link.more, 'sub'));
    });
    parts.push(line(drawn.more, 'sub'));
    return parts;
  }

  function describeAsset(id) {
    const asset = data.assets[id];
    const node = data.nodes.find(row => row.id === id);
    if (!asset) return [el('h3', node.label.replace('\n', ' '))];
    const parts = [el('h3', asset.name)];
    if (asset.members) {
      const list = el('ul');
      asset.members.forEach(name => list.append(el('li', name)));
      return [...parts, list];
    }
    const facts = el('dl');
    asset.facts.forEach(([key, value]) => facts.append(el('dt', key), el('dd', value)));
    parts.push(facts);
    if (asset.services.length) parts.push(el('h4', data.words.services));
    asset.services.forEach(row => parts.push(block(el('b', row.name), el('p', row.word, `p-${row.posture}`), line(row.reason, 'sub'), line(row.frames, 'mono'))));
    if (asset.claims.length) parts.push(el('h4', data.words.claims));
    asset.claims.forEach(row => parts.push(block(
      el('b', `${row.what}: ${row.value}`, row.winner ? '' : 'lose'),
      line(`${row.from}${row.winner ? '' : ` · ${data.words.not_used}`}`, 'sub'), line(row.frames, 'mono'),
    )));
    return parts;
  }

  function pick(element) {
    cy.elements().removeClass('picked');
    element.addClass('picked');
    const close = el('button', '×', 'close');
    close.type = 'button';
    close.setAttribute('aria-label', data.words.close);
    close.addEventListener('click', clear);
    panel.hidden = false;
    stage.classList.add('open');
    panel.replaceChildren(close, ...(element.isEdge() ? describeLine(byId.get(element.id())) : describeAsset(element.id())).filter(Boolean));
    panel.scrollTop = 0;
    emphasise(element);
  }

  function emphasise(element) {
    const near = element.isEdge() ? element.union(element.connectedNodes()) : element.closedNeighborhood();
    cy.edges().addClass('faded');
    cy.nodes('[parent]').not('.title').addClass('faded');
    near.removeClass('faded');
  }

  function clear() {
    cy.elements().removeClass('picked');
    panel.hidden = true;
    stage.classList.remove('open');
    filter();
  }

  cy.on('tap', event => {
    if (event.target === cy) clear();
    else if (event.target.isEdge() || data.nodes.some(row => row.id === event.target.id())) pick(event.target);
  });
  cy.on('mouseover', 'edge, node[parent]', () => { canvas.style.cursor = 'pointer'; });
  cy.on('mouseout', 'edge, node[parent]', () => { canvas.style.cursor = ''; });

  // --- filters ---
  function filter() {
    const wanted = name => (form.elements[name] ? form.elements[name].value : '');
    const words = wanted('text').toLowerCase().split(/\s+/).filter(Boolean);
    const zone = wanted('zone');
    const zones = new Map(data.nodes.map(node => [node.id, node.zone]));
    const active = ['protocol', 'operation', 'verdict', 'zone'].some(wanted) || words.length > 0;
    const lit = new Set();
    cy.batch(() => {
      data.lines.forEach(row => {
        const found = (!wanted('protocol') || row.protocols.includes(wanted('protocol')))
          && (!wanted('operation') || row.operations.includes(wanted('operation')))
          && (!wanted('verdict') || row.verdict === wanted('verdict'))
          && (!zone || zones.get(row.source) === zone || zones.get(row.target) === zone)
          && words.every(word => haystacks.get(row.id).includes(word) || nodeTexts.get(row.source).includes(word) || nodeTexts.get(row.target).includes(word));
        const shown = found && (row.ot || form.elements.other.checked);
        cy.getElementById(row.id).toggleClass('hidden', !shown).removeClass('faded');
        if (shown) lit.add(row.source).add(row.target);
      });
      data.nodes.forEach(node => {
        const own = words.length > 0 && words.every(word => nodeTexts.get(node.id).includes(word));
        cy.getElementById(node.id).toggleClass('faded', active && !lit.has(node.id) && !own);
      });
      drawWay(data.ways[wanted('way')]);
    });
  }

  // One way from outside to a controller stands out; its steps are told in the panel.
  function drawWay(way) {
    cy.elements().removeClass('way close');
    if (!way) return;
    const lit = new Set([...way.nodes, ...way.lines]);
    data.lines.forEach(row => cy.getElementById(row.id).toggleClass('way', lit.has(row.id)).toggleClass('faded', !lit.has(row.id)));
    data.nodes.forEach(row => cy.getElementById(row.id).toggleClass('way', lit.has(row.id)).toggleClass('faded', !lit.has(row.id)));
    way.lines.forEach(id => cy.getElementById(id).removeClass('hidden'));
    way.close.forEach(id => cy.getElementById(id).addClass('close'));
    const steps = el('ol');
    way.steps.forEach(text => steps.append(el('li', text)));
    panel.hidden = false;
    stage.classList.add('open');
    panel.replaceChildren(el('h3', way.label), steps, ...(way.close.length ? [el('p', data.words.closing, 'sub')] : []));
  }
  form.addEventListener('input', filter);
  form.addEventListener('submit', event => event.preventDefault());
  const zoom = factor => { fitted = false; cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 } }); };
  const tools = {
    in: () => zoom(1.3), out: () => zoom(1 / 1.3), fit,
    full: () => { shell.classList.toggle('full'); },
  };
  form.addEventListener('click', event => { const name = event.target.dataset.do; if (name) tools[name](); });
  addEventListener('keydown', event => { if (event.key === 'Escape' && shell.classList.contains('full')) tools.full(); });
  document.addEventListener('click', event => {
    const id = event.target.dataset && event.target.dataset.node;
    if (!id) return;
    const node = cy.getElementById(id);
    if (node.empty()) return;
    document.getElementById('map').scrollIntoView();
    pick(node);
  });

  // --- print: a picture in light colours, whatever the screen shows ---
  addEventListener('beforeprint', () => {
    cy.style(style(data.palettes.light));
    printed.src = cy.png({ full: true, scale: 1.2, maxWidth: 3200, bg: '#ffffff' });
  });
  addEventListener('afterprint', () => { printed.removeAttribute('src'); repaint(); });
}());
