// Paper to draw on. The state `strokes` is a list of strokes, each a list of points [x, y], 0 to 1.

const INK = "#111";
const PEN = 0.075; // of the paper's side
const STEP = 0.03; // that an arrow key moves the pen
const papers = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const paper = papers.get(parentElement) ?? makePaper(parentElement);
  papers.set(parentElement, paper);
  paper.send = (strokes) => setStateValue("strokes", strokes);
  paper.canvas.setAttribute("aria-label", `${data.label}. ${data.keys}`);
  paper.undo.textContent = data.undo;
  paper.clear.textContent = data.clear;
  parentElement.querySelector(".keys").textContent = data.keys;
  if (!paper.strokes.length && data.strokes?.length) {
    paper.strokes = data.strokes;
    paper.paint();
  }
}

function makePaper(parent) {
  const canvas = parent.querySelector("canvas");
  const context = canvas.getContext("2d");
  const side = canvas.width;
  const paper = {
    canvas,
    strokes: [],
    undo: parent.querySelector(".undo"),
    clear: parent.querySelector(".clear"),
    send: () => {},
    paint,
  };
  let pen = null; // the pointer that draws
  let key = { x: 0.5, y: 0.5, down: false, shown: false };

  function line(points) {
    context.beginPath();
    context.moveTo(points[0][0] * side, points[0][1] * side);
    for (const [x, y] of points) context.lineTo(x * side, y * side);
    context.stroke();
  }

  function paint() {
    context.clearRect(0, 0, side, side);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = PEN * side;
    context.strokeStyle = INK;
    paper.strokes.forEach(line);
    if (key.shown) {
      context.lineWidth = 3;
      context.strokeStyle = key.down ? "#d33" : "#36c";
      context.beginPath();
      context.arc(key.x * side, key.y * side, (PEN / 2) * side, 0, 7);
      context.stroke();
    }
    paper.undo.disabled = paper.clear.disabled = !paper.strokes.length;
  }

  function change(strokes) {
    paper.strokes = strokes;
    paint();
    paper.send(strokes);
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const inside = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4;
    return [
      inside((event.clientX - box.left) / box.width),
      inside((event.clientY - box.top) / box.height),
    ];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button > 0) return;
    pen = event.pointerId;
    canvas.setPointerCapture(pen);
    key.shown = key.down = false;
    paper.strokes = [...paper.strokes, [place(event)]];
    paint();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    const stroke = paper.strokes.at(-1);
    for (const each of event.getCoalescedEvents?.() ?? [event]) stroke.push(place(each));
    paint();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId !== pen) return;
      pen = null;
      change(paper.strokes);
    });
  }

  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    key.shown = true;
    if (move) {
      key.x = Math.min(1, Math.max(0, key.x + move[0] * STEP));
      key.y = Math.min(1, Math.max(0, key.y + move[1] * STEP));
      if (key.down) paper.strokes.at(-1).push([key.x, key.y]);
      paint();
    } else {
      key.down = !key.down;
      if (key.down) paper.strokes = [...paper.strokes, [[key.x, key.y]]];
      key.down ? paint() : change(paper.strokes);
    }
  });
  canvas.addEventListener("blur", () => {
    if (key.down) change(paper.strokes);
    key.shown = key.down = false;
    paint();
  });

  paper.undo.addEventListener("click", () => change(paper.strokes.slice(0, -1)));
  paper.clear.addEventListener("click", () => change([]));
  paint();
  return paper;
}
