// Shows the image behind the point of a map that the mouse is over, and tells which point is clicked: Streamlit hears no
// click while the lasso is in hand, nor in three dimensions. Images come from Python and are kept in the browser.
const known = new Map();
const watched = new WeakSet();
let card, over, wanted, timer;

function place(event) {
  const { innerWidth, innerHeight } = window;
  card.style.left = `${Math.min(event.clientX + 16, innerWidth - card.offsetWidth - 8)}px`;
  card.style.top = `${Math.min(event.clientY + 16, innerHeight - card.offsetHeight - 8)}px`;
}

function show(event) {
  const found = known.get(over);
  if (!found || !card) return;
  card.querySelector("img").src = found.image;
  card.querySelector("img").hidden = !found.image;
  card.querySelector("b").textContent = found.title;
  card.querySelector("span").textContent = found.words;
  card.hidden = false;
  place(event);
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  card = parentElement.querySelector(".card");
  for (const one of data.previews) known.set(one.key, one);
  if (wanted && wanted.key === over && known.has(over)) show(wanted.event);

  function watch(chart) {
    watched.add(chart);
    chart.on("plotly_hover", ({ points, event }) => {
      const key = points[0].customdata;
      if (key === undefined) return;
      over = key;
      clearTimeout(timer);
      if (known.has(key)) return show(event);
      wanted = { key, event };
      timer = setTimeout(() => setStateValue("over", key), 60);
    });
    chart.on("plotly_unhover", () => {
      over = undefined;
      clearTimeout(timer);
      card.hidden = true;
    });
    chart.on("plotly_click", ({ points }) => {
      if (points[0].customdata !== undefined) setTriggerValue("clicked", points[0].customdata);
    });
  }

  // Charts are drawn anew without a word to others.
  const look = () => {
    for (const chart of document.querySelectorAll(data.charts)) {
      if (chart.on && !watched.has(chart)) watch(chart);
    }
  };
  look();
  const looking = setInterval(look, 400);
  return () => clearInterval(looking);
}
