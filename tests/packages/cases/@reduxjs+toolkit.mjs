import { configureStore, createAsyncThunk, createSelector, createSlice } from "@reduxjs/toolkit";
import { createApi, fetchBaseQuery } from "@reduxjs/toolkit/query";

export default async function ({ upstream }) {
  const load = createAsyncThunk("notes/load", async (name) => ({ name }));
  const slice = createSlice({
    name: "notes",
    initialState: { list: [], status: "idle" },
    reducers: { added: (state, { payload }) => void state.list.push(payload) },
    extraReducers: (builder) =>
      builder.addCase(load.fulfilled, (state, { payload }) => void ((state.status = "done"), state.list.push(payload.name))),
  });
  const api = createApi({
    baseQuery: fetchBaseQuery({ baseUrl: upstream }),
    endpoints: (build) => ({ echo: build.query({ query: (id) => `/echo/${id}` }) }),
  });
  const store = configureStore({
    reducer: { notes: slice.reducer, api: api.reducer },
    middleware: (defaults) => defaults().concat(api.middleware),
    devTools: false,
  });
  store.dispatch(slice.actions.added("tea"));
  await store.dispatch(load("rust"));
  const answer = await store.dispatch(api.endpoints.echo.initiate(1));
  const count = createSelector([(state) => state.notes.list], (list) => list.length);
  return [store.getState().notes, answer.data.path, count(store.getState())];
}
