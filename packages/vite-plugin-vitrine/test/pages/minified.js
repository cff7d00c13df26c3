// As minifiers leave a library: every name may be taken.
import{jsx as v,jsxs as at}from"react/jsx-runtime";export const minified=()=>at("p",{className:"m",children:["a",v("b",{children:String(1)}),at("i",{children:[w("c"),v("b",{children:"d"})]})]});function w(e){return v("u",{children:e})}
