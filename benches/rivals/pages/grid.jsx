// A: a shop's list of 100 products, about 88 kB of HTML.
import { Document } from "./document.jsx";

const PRODUCTS = Array.from({ length: 100 }, (_, index) => ({
  id: 1000 + index,
  name: `${["Oak", "Linen", "Copper", "Slate", "Wool"][index % 5]} ${["lamp", "chair", "bowl", "rug", "shelf", "clock", "vase"][index % 7]} No. ${index + 1}`,
  maker: ["Nordhaus & Søn", "Atelier Mireille", "Kawa Works", "Brückner"][index % 4],
  price: 19 + ((index * 37) % 480),
  was: index % 3 === 0 ? 39 + ((index * 41) % 520) : undefined,
  stars: 3 + (index % 3),
  votes: 12 + ((index * 53) % 900),
  stock: (index * 29) % 40,
  tags: ["new", "handmade", "oiled", "recycled", "<limited>"].slice(index % 3, (index % 3) + 2),
  text: 'Made to order in small numbers & finished by hand; "lasts a lifetime", say those who own one.',
}));

function Price({ price, was }) {
  return (
    <p className="price">
      <strong>{price.toFixed(2)} €</strong>
      {was !== undefined && <s aria-label="Earlier price">{was.toFixed(2)} €</s>}
    </p>
  );
}

function Product({ product }) {
  return (
    <li className={product.stock === 0 ? "product sold-out" : "product"} id={`p${product.id}`} data-maker={product.maker}>
      <a
        className="picture"
        href={`/products/${product.id}`}
        style={{ backgroundColor: `hsl(${product.id % 360} 40% 80%)`, aspectRatio: "4 / 3" }}
      >
        <img src={`/images/${product.id}.avif`} alt={product.name} width={320} height={240} loading="lazy" decoding="async" />
      </a>
      <h2>
        <a href={`/products/${product.id}`}>{product.name}</a>
      </h2>
      <p className="maker">by {product.maker}</p>
      <p>{product.text}</p>
      <p className="stars" aria-label={`${product.stars} of 5`}>
        {"★".repeat(product.stars)} <small>({product.votes})</small>
      </p>
      <ul className="tags">
        {product.tags.map((tag) => (
          <li key={tag}>{tag}</li>
        ))}
      </ul>
      <Price price={product.price} was={product.was} />
      <form action="/basket" method="post">
        <input type="hidden" name="product" value={product.id} />
        <button disabled={product.stock === 0} aria-label={`Put ${product.name} into the basket`}>
          {product.stock === 0 ? "Sold out" : "Add"}
        </button>
      </form>
    </li>
  );
}

export function Grid() {
  return (
    <Document title="All products">
      <ul className="products">
        {PRODUCTS.map((product) => (
          <Product key={product.id} product={product} />
        ))}
      </ul>
    </Document>
  );
}
