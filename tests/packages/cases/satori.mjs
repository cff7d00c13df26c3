import satori from "satori";

export default async function () {
  const element = {
    type: "div",
    props: {
      style: { display: "flex", width: "100%", background: "red", borderRadius: 8 },
      children: { type: "div", props: { style: { width: 20, height: 10, background: "blue", margin: 4 } } },
    },
  };
  return satori(element, { width: 100, height: 50, fonts: [] });
}
